"""What people and programs ask of a till. Plain values; :mod:`tillmesh.till.node` decides them."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.events import Approval
from tillmesh.till.commands.goods import (
    AdjustStock,
    CloseOrder,
    CloseTransfer,
    CountStock,
    FoldActors,
    HandRights,
    IssueRights,
    PlaceOrder,
    ReceiveOrder,
    ReceiveStock,
    ReceiveTransfer,
    ReleaseRights,
    ResolveOversell,
    SendTransfer,
    SettleOversells,
    TakeTransferBack,
    WantedGoods,
)
from tillmesh.till.commands.money import (
    AdjustPurse,
    AskCard,
    CardHeard,
    CardSent,
    CardSettled,
    CardStarted,
    ClosePeriods,
    CloseShift,
    MoveCash,
    NoteSigned,
    NoteSigningResumed,
    NoteSigningStopped,
    OpenDrawer,
    OpenShift,
    Reprint,
    ReverseCard,
    SettleMoneyConflict,
)
from tillmesh.till.commands.records import (
    ChangeRecords,
    EraseCustomer,
    FlagAct,
    Note,
    ReviewFlag,
    TeachProduct,
)
from tillmesh.till.commands.selling import (
    CartOperation,
    CloseSale,
    DiscardParked,
    EditCart,
    ParkCart,
    PayCart,
    RefundSale,
    RefundWithoutReceipt,
    ResumeCart,
    SplitCart,
    VoidSale,
    WantedLine,
    WantedRefund,
)

__all__ = [
    "AdjustPurse",
    "AdjustStock",
    "AskCard",
    "CardHeard",
    "CardSent",
    "CardSettled",
    "CardStarted",
    "CartOperation",
    "ChangeRecords",
    "CloseOrder",
    "ClosePeriods",
    "CloseSale",
    "CloseShift",
    "CloseTransfer",
    "Command",
    "CountStock",
    "DiscardParked",
    "EditCart",
    "EraseCustomer",
    "FlagAct",
    "FoldActors",
    "HandRights",
    "IssueRights",
    "MoveCash",
    "Note",
    "NoteSigned",
    "NoteSigningResumed",
    "NoteSigningStopped",
    "OpenDrawer",
    "OpenShift",
    "ParkCart",
    "PayCart",
    "PlaceOrder",
    "ReceiveOrder",
    "ReceiveStock",
    "ReceiveTransfer",
    "RefundSale",
    "RefundWithoutReceipt",
    "ReleaseRights",
    "Reprint",
    "ResolveOversell",
    "ResumeCart",
    "ReverseCard",
    "ReviewFlag",
    "SendTransfer",
    "SettleMoneyConflict",
    "SettleOversells",
    "SplitCart",
    "TakeTransferBack",
    "TeachProduct",
    "VoidSale",
    "WantedGoods",
    "WantedLine",
    "WantedRefund",
    "Who",
]


class Who(Record):
    """The person at the till, and the approvals that others have just given."""

    user_id: str
    role: str
    approvals: tuple[Approval, ...] = ()


Command = (
    CloseSale | PayCart | EditCart | SplitCart | ParkCart | ResumeCart | DiscardParked
    | VoidSale | RefundSale | RefundWithoutReceipt
    | OpenShift | CloseShift | MoveCash | OpenDrawer | Reprint
    | PlaceOrder | ReceiveOrder | CloseOrder
    | SendTransfer | ReceiveTransfer | CloseTransfer | TakeTransferBack
    | ReceiveStock | AdjustStock | CountStock | ResolveOversell | SettleOversells | SettleMoneyConflict
    | FlagAct | ReviewFlag
    | ClosePeriods | NoteSigned | NoteSigningStopped | NoteSigningResumed
    | AskCard | CardSent | CardHeard | CardStarted | CardSettled | ReverseCard
    | HandRights | IssueRights | ReleaseRights | FoldActors
    | TeachProduct | ChangeRecords | EraseCustomer | AdjustPurse | Note
)  # fmt: skip
