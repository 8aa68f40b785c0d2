"""What faults share with scenes: the one Qt application of the process."""

from tests.scenes.conftest import qt_application

__all__ = ["qt_application"]
