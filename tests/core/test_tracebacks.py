"""What a traceback through the compiled core shows."""

import traceback
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe, init_app
from tests.support.serving import expected_backend

needs_compiled_core = pytest.mark.skipif(
    expected_backend() == "python", reason="this is the pure leg: there is one core only"
)


@needs_compiled_core
def test_frames_of_the_core_name_the_package_and_no_file_of_the_build() -> None:
    @async_safe
    def dependency() -> None:
        raise LookupError("raised by a dependency")

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[None, Depends(dependency)]) -> None: ...

    with pytest.raises(LookupError) as caught:
        TestClient(init_app(app, accelerated=True)).get("/")
    frames = traceback.extract_tb(caught.value.__traceback__)
    of_core = [each for each in frames if each.filename.endswith((".pyx", ".pxi"))]
    assert of_core
    for frame in of_core:
        assert frame.filename.startswith("fastapi_async_safe/_core/")
        assert not Path(frame.filename).exists()
        assert not frame.line
