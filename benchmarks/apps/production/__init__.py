"""A shop as people run one: PostgreSQL, threads, processes, several workers. Copy from it.

    export SHOP_DATABASE_URL=postgresql://... SHOP_SECRET_KEY=$(openssl rand -hex 32)
    python -m benchmarks.apps.production create-tables
    python -m benchmarks.apps.production check --workers 4
    uvicorn benchmarks.apps.production.main:app --workers 4 --loop uvloop

`settings.py` has every setting, `docs/production.md` the reasons.
"""
