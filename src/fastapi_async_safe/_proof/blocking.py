"""What is known to wait: functions, and classes whose methods do, each with the reason."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from .lookup import find, mro_of, name_of

_SLEEP = "sleeps"
_FILES = "reads or writes files"
_NETWORK = "waits for the network"
_PROCESS = "waits for another process"
_LOCK = WAITS_FOR_THREADS = "waits for other threads"
_DATABASE = "waits for a database"

#: Functions, by module and name.
FUNCTIONS: dict[str, str] = {
    "time.sleep": _SLEEP,
    "_io.open": _FILES,
    "io.open": _FILES,
    "_io.open_code": _FILES,
    "posix.open": _FILES,
    "posix.stat": _FILES,
    "posix.listdir": _FILES,
    "posix.scandir": _FILES,
    "posix.remove": _FILES,
    "posix.unlink": _FILES,
    "posix.rename": _FILES,
    "posix.mkdir": _FILES,
    "posix.read": _FILES,
    "posix.write": _FILES,
    "posix.fsync": _FILES,
    "nt.open": _FILES,
    "nt.stat": _FILES,
    "nt.listdir": _FILES,
    "os.walk": _FILES,
    "os.makedirs": _FILES,
    "shutil.copy": _FILES,
    "shutil.copyfile": _FILES,
    "shutil.copytree": _FILES,
    "shutil.move": _FILES,
    "shutil.rmtree": _FILES,
    "tempfile.NamedTemporaryFile": _FILES,
    "tempfile.mkstemp": _FILES,
    "tempfile.mkdtemp": _FILES,
    "builtins.input": "waits for a person",
    "posix.system": _PROCESS,
    "posix.waitpid": _PROCESS,
    "os.popen": _PROCESS,
    "subprocess.run": _PROCESS,
    "subprocess.call": _PROCESS,
    "subprocess.check_call": _PROCESS,
    "subprocess.check_output": _PROCESS,
    "subprocess.getoutput": _PROCESS,
    "subprocess.getstatusoutput": _PROCESS,
    "socket.create_connection": _NETWORK,
    "socket.getfqdn": _NETWORK,
    "socket.getaddrinfo": _NETWORK,
    "_socket.gethostbyname": _NETWORK,
    "_socket.gethostbyaddr": _NETWORK,
    "select.select": _NETWORK,
    "urllib.request.urlopen": _NETWORK,
    "urllib.request.urlretrieve": _NETWORK,
    "requests.api.request": _NETWORK,
    "requests.api.get": _NETWORK,
    "requests.api.options": _NETWORK,
    "requests.api.head": _NETWORK,
    "requests.api.post": _NETWORK,
    "requests.api.put": _NETWORK,
    "requests.api.patch": _NETWORK,
    "requests.api.delete": _NETWORK,
    "httpx.request": _NETWORK,
    "httpx.get": _NETWORK,
    "httpx.options": _NETWORK,
    "httpx.head": _NETWORK,
    "httpx.post": _NETWORK,
    "httpx.put": _NETWORK,
    "httpx.patch": _NETWORK,
    "httpx.delete": _NETWORK,
    "httpx.stream": _NETWORK,
    "_sqlite3.connect": _DATABASE,
    "sqlite3.connect": _DATABASE,
    "psycopg.Connection.connect": _DATABASE,
    "psycopg2.connect": _DATABASE,
    "pymysql.connect": _DATABASE,
    "MySQLdb.connect": _DATABASE,
    "boto3.client": "reads files, and its calls wait for the network",
    "boto3.resource": "reads files, and its calls wait for the network",
    "smtplib.SMTP": _NETWORK,
}

#: Classes, by module and name: their methods wait, and so does leaving `with`, or the exit of a
#: `yield` dependency that hands one out.
CLASSES: dict[str, str] = {
    "subprocess.Popen": _PROCESS,
    "socket.socket": _NETWORK,
    "_socket.socket": _NETWORK,
    "_thread.lock": _LOCK,
    "_thread.RLock": _LOCK,
    "threading.Condition": _LOCK,
    "threading.Semaphore": _LOCK,
    "threading.BoundedSemaphore": _LOCK,
    "threading.Event": _LOCK,
    "threading.Barrier": _LOCK,
    "queue.Queue": _LOCK,
    "_queue.SimpleQueue": _LOCK,
    "_io.TextIOWrapper": _FILES,
    "_io.BufferedReader": _FILES,
    "_io.BufferedWriter": _FILES,
    "_io.FileIO": _FILES,
    "pathlib.Path": _FILES,
    "pathlib._local.Path": _FILES,
    "http.client.HTTPConnection": _NETWORK,
    "urllib.request.OpenerDirector": _NETWORK,
    "requests.sessions.Session": _NETWORK,
    "httpx.Client": _NETWORK,
    "httpx._client.Client": _NETWORK,
    "urllib3.poolmanager.PoolManager": _NETWORK,
    "sqlite3.Connection": _DATABASE,
    "sqlite3.Cursor": _DATABASE,
    "psycopg.Connection": _DATABASE,
    "psycopg.Cursor": _DATABASE,
    "psycopg_pool.ConnectionPool": _DATABASE,
    "psycopg_pool.pool.ConnectionPool": _DATABASE,
    "psycopg2.extensions.connection": _DATABASE,
    "psycopg2.extensions.cursor": _DATABASE,
    "psycopg2.pool.AbstractConnectionPool": _DATABASE,
    "pymysql.connections.Connection": _DATABASE,
    "pymysql.cursors.Cursor": _DATABASE,
    "sqlalchemy.orm.session.Session": _DATABASE,
    "sqlalchemy.orm.scoping.scoped_session": _DATABASE,
    "sqlalchemy.engine.base.Engine": _DATABASE,
    "sqlalchemy.engine.base.Connection": _DATABASE,
    "sqlmodel.orm.session.Session": _DATABASE,
    "redis.client.Redis": _DATABASE,
    "redis.cluster.RedisCluster": _DATABASE,
    "redis.lock.Lock": _LOCK,
    "pymongo.mongo_client.MongoClient": _DATABASE,
    "pymongo.synchronous.mongo_client.MongoClient": _DATABASE,
    "pymongo.database.Database": _DATABASE,
    "pymongo.synchronous.database.Database": _DATABASE,
    "pymongo.collection.Collection": _DATABASE,
    "pymongo.synchronous.collection.Collection": _DATABASE,
    "botocore.client.BaseClient": _NETWORK,
    "boto3.session.Session": _NETWORK,
    "smtplib.SMTP": _NETWORK,
    "ftplib.FTP": _NETWORK,
}

#: Methods of those that neither wait nor make anything that does.
_QUICK = frozenset(
    {
        "__init__",
        "add",
        "add_all",
        "expunge",
        "is_set",
        "locked",
    }
)


#: What tells where a call runs: it does not wait, and is not proven either.
_OF_THREADS = frozenset(
    {
        "_thread.get_ident",
        "_thread.get_native_id",
        "threading.current_thread",
        "threading.main_thread",
    }
)


def is_of_threads(function: Any) -> bool:
    """Say whether `function` asks for the thread that it runs in."""
    kinds = (BuiltinFunctionType, FunctionType)
    return type(function) in kinds and name_of(function) in _OF_THREADS


def why_function_blocks(function: Any) -> str | None:
    """Say why calling `function` waits; None if that is not known."""
    if type(function) is MethodType:
        function = function.__func__
    if type(function) is BuiltinFunctionType:
        name = name_of(function)
        return FUNCTIONS.get(name if "." in name else f"builtins.{name}")
    if type(function) is FunctionType:
        return FUNCTIONS.get(name_of(function))
    return None


def why_class_blocks(cls: type | None) -> str | None:
    """Say why the methods of `cls` wait; None if that is not known."""
    if cls is None:
        return None
    return next((CLASSES[name] for name in map(name_of, mro_of(cls)) if name in CLASSES), None)


def why_method_blocks(cls: type | None, method: str) -> str | None:
    """Say why calling `method` of an instance of `cls` waits; None if that is not known."""
    if cls is None or method in _QUICK:
        return None
    owner = find(cls, method)[1]
    if owner is not None and owner.__name__.startswith("PurePath"):
        return None  # it only computes
    return why_class_blocks(cls)
