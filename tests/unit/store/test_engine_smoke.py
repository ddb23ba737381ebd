from groundswell.store.engine import Engine, Lane


async def test_migrated_tables_answer(engine: Engine) -> None:
    answer = await engine.query(
        "SELECT count() AS n FROM errors WHERE project_id = 1", lane=Lane.LIGHT
    )
    assert list(answer.records()) == [{"n": 0}]
