"""What the platforms' emulators share: a server with faults on command, the fault plan, the log of changes, the control API."""

from adapters.common.emulation.base import EmulatorBase
from adapters.common.emulation.faults import FaultPlan

__all__ = ["EmulatorBase", "FaultPlan"]
