"""The journal's contract: values and roles. Types only; `sqlite` implements it, a server database can.

roles       what the machinery asks of durable storage      states      where a delivery stands
accepting   what intake gives, and is answered              deliveries  open deliveries, as a lane reads them
changes     what a lane records                             links       which messages belong together
people      what people are shown                           persons     what people decided, linked accounts, the audit
errors      what the storage raises
partners    which threads are one conversation
leases      who may act for an account                  keys        keys of the public listener, invitations, arrivals
"""

from bridge.journal.contract.accepting import AcceptRequest, AcceptResult, Following, PlannedDelivery, Verdict
from bridge.journal.contract.changes import (
    Answered,
    AttemptStarted,
    Change,
    CopyCameLate,
    Dead,
    Deferred,
    Delivered,
    PartGone,
    PartReceipt,
    PiecesSet,
    PlanSet,
    Skipped,
)
from bridge.journal.contract.deliveries import Damaged, Generation, OpenDelivery
from bridge.journal.contract.errors import JournalError
from bridge.journal.contract.keys import Arrival, Invite, KeySecret, NewArrival, StoredKey
from bridge.journal.contract.leases import Lease, LeaseLost, LeaseStore
from bridge.journal.contract.links import (
    TALLY_PART,
    VOTES_PART,
    AuthorName,
    Carried,
    Elsewhere,
    KnownPoll,
    Link,
    Merged,
    Original,
    Piece,
    PollVotes,
    ReactedWith,
    StoredPart,
)
from bridge.journal.contract.partners import Made, Partner, PartnerState, PartnerStore
from bridge.journal.contract.people import DeadLetter, Figures, LaneFigures, StoredAnswer, StoredWait, Undecodable
from bridge.journal.contract.persons import (
    Audited,
    Claim,
    Claimant,
    ClaimStep,
    Decision,
    DecisionKind,
    LinkedUser,
    PersonStore,
    UserKey,
)
from bridge.journal.contract.roles import (
    AddressStore,
    ArrivalStore,
    DeadLetterStore,
    DeliveryStore,
    IntakeStore,
    InviteStore,
    Journal,
    KeyStore,
    LinkStore,
    MailStore,
    NoteStore,
    TraceStore,
    Upkeep,
    WaitStore,
)
from bridge.journal.contract.states import DeliveryStatus

__all__ = [
    "TALLY_PART",
    "VOTES_PART",
    "AcceptRequest",
    "AcceptResult",
    "AddressStore",
    "Answered",
    "Arrival",
    "ArrivalStore",
    "AttemptStarted",
    "Audited",
    "AuthorName",
    "Carried",
    "Change",
    "Claim",
    "ClaimStep",
    "Claimant",
    "CopyCameLate",
    "Damaged",
    "Dead",
    "DeadLetter",
    "DeadLetterStore",
    "Decision",
    "DecisionKind",
    "Deferred",
    "Delivered",
    "DeliveryStatus",
    "DeliveryStore",
    "Elsewhere",
    "Figures",
    "Following",
    "Generation",
    "IntakeStore",
    "Invite",
    "InviteStore",
    "Journal",
    "JournalError",
    "KeySecret",
    "KeyStore",
    "KnownPoll",
    "LaneFigures",
    "Lease",
    "LeaseLost",
    "LeaseStore",
    "Link",
    "LinkStore",
    "LinkedUser",
    "Made",
    "MailStore",
    "Merged",
    "NewArrival",
    "NoteStore",
    "OpenDelivery",
    "Original",
    "PartGone",
    "PartReceipt",
    "Partner",
    "PartnerState",
    "PartnerStore",
    "PersonStore",
    "Piece",
    "PiecesSet",
    "PlanSet",
    "PlannedDelivery",
    "PollVotes",
    "ReactedWith",
    "Skipped",
    "StoredAnswer",
    "StoredKey",
    "StoredPart",
    "StoredWait",
    "TraceStore",
    "Undecodable",
    "Upkeep",
    "UserKey",
    "Verdict",
    "WaitStore",
]
