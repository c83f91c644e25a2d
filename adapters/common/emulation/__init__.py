"""What the platforms' emulators share: a server that can be disturbed, the fault plan, the chats' record, the control API."""

from adapters.common.emulation.base import EmulatorBase
from adapters.common.emulation.faults import FaultPlan

__all__ = ["EmulatorBase", "FaultPlan"]
