"""The journal's contract: values and roles. Types only; `sqlite` implements it, a server database can.

roles       what the machinery asks of durable storage      states      where a delivery stands
accepting   what intake gives, and is answered              deliveries  open deliveries, as a lane reads them
changes     what a lane records                             links       which messages belong together
people      what people are shown                           errors      what the storage raises
"""

from bridge.journal.contract.accepting import Accepted, Entry, PlannedDelivery, Verdict
from bridge.journal.contract.changes import (
    AttemptStarted,
    Change,
    Dead,
    Deferred,
    Delivered,
    PartGone,
    PartSent,
    PiecesSet,
    PlanSet,
    Skipped,
)
from bridge.journal.contract.deliveries import Damaged, Pending
from bridge.journal.contract.errors import JournalError
from bridge.journal.contract.links import AuthorName, Elsewhere, Link, Merged, Piece, SentPart
from bridge.journal.contract.people import DeadLetter, Figures, LaneFigures, StoredWait, Undecodable
from bridge.journal.contract.roles import (
    AddressStore,
    DeadLetterStore,
    DeliveryStore,
    IntakeStore,
    Journal,
    LinkStore,
    NoteStore,
    TraceStore,
    Upkeep,
    WaitStore,
)
from bridge.journal.contract.states import State

__all__ = [
    "Accepted",
    "AddressStore",
    "AttemptStarted",
    "AuthorName",
    "Change",
    "Damaged",
    "Dead",
    "DeadLetter",
    "DeadLetterStore",
    "Deferred",
    "Delivered",
    "DeliveryStore",
    "Elsewhere",
    "Entry",
    "Figures",
    "IntakeStore",
    "Journal",
    "JournalError",
    "LaneFigures",
    "Link",
    "LinkStore",
    "Merged",
    "NoteStore",
    "PartGone",
    "PartSent",
    "Pending",
    "Piece",
    "PiecesSet",
    "PlanSet",
    "PlannedDelivery",
    "SentPart",
    "Skipped",
    "State",
    "StoredWait",
    "TraceStore",
    "Undecodable",
    "Upkeep",
    "Verdict",
    "WaitStore",
]
