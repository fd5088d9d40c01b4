"""Versions that were offered to the pipeline, each kept once; the newest of each artifact counts."""

from collections.abc import Mapping

from sqlmodel import col, select

from bot.adapters.store import codec
from bot.adapters.store.database import Database
from bot.adapters.store.tables import ArrivalRow
from bot.adapters.store.upsert import put
from bot.domain.arrival import Arrival


class StoredArrivals:
    """The newest offer of each artifact, over restarts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> Mapping[str, Arrival]:
        """By the artifact's normal name."""
        with self._database.read() as session:
            return {row.artifact: codec.load(Arrival, row.document) for row in session.exec(select(ArrivalRow))}

    def add(self, arrival: Arrival) -> bool:
        """Keep it as the newest; False when it is known already, or one that came later is."""
        with self._database.write() as session:
            known = session.exec(select(ArrivalRow).where(col(ArrivalRow.artifact) == arrival.artifact)).first()
            if known is not None and (known.version == arrival.version.text or known.at > arrival.at):
                return False
            values = {
                "artifact": arrival.artifact,
                "version": arrival.version.text,
                "at": arrival.at,
                "document": codec.dump(arrival),
            }
            put(session, ArrivalRow, values, keys=("artifact",))
            return True
