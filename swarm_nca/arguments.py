"""Checks arguments of public functions: whole numbers, real numbers, and arrays of real numbers.

Array libraries raise different errors for sparse, complex, masked or valueless arrays, and some
drop a part of the values silently. All public functions that take numbers read them through this
module. It raises a ValueError that names the argument and the cure.
"""

from __future__ import annotations

import operator
import sys
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

#: Exceptions that array libraries raise for unreadable values.
UNREADABLE = (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError, AttributeError)


def whole(
    name: str, value: Any, low: int = 0, high: int | None = None, kind: str = "a whole number"
) -> int:
    """The value as an int.

    Args:
        kind: description of the argument in the message.

    Raises:
        ValueError: not a whole number, a boolean, or a number outside [low, high].
    """
    try:
        number = operator.index(value)
    except UNREADABLE:
        number = low - 1
    if isinstance(value, bool) or number < low or (high is not None and number > high):
        least = high is None or (high >= 1 << 32 and number < low)
        wanted = f"{low} or more" if least else f"from {low} to {_power(high)}"
        raise ValueError(f"{name} must be {kind}, {wanted}, got {shown(value)}")
    return number


def real(name: str, value: Any) -> float:
    """The value as a float.

    Raises:
        ValueError: not a real number, several numbers, or a number beyond the range of floats.
    """
    if not isinstance(value, Real):
        array = dense(name, value)
        if array.ndim:
            raise ValueError(f"{name} must be one number, got {array.size}: {shown(value)}")
        value = array.item()
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{name} is too large for a number: {shown(value)}") from error


def dense(name: str, values: Any) -> np.ndarray[Any, Any]:
    """Array-likes of real numbers as one NumPy array, which may share memory with `values`.

    Args:
        values: a number, an array or tensor of any library, or nested sequences of them.

    Returns:
        Array of the same shape, in C order; bool, uint8, a signed integer type, float32 or float64.

    Raises:
        ValueError: complex or masked numbers, a sparse array, a tensor without values, or anything
            else that is not an array of real numbers.
    """
    import numpy as np

    if is_tensor(values):
        check_tensor(name, values)
        import torch

        values = values.detach()
        wide = values if values.element_size() > 2 or not values.is_floating_point() else None
        values = (values.to(torch.float32) if wide is None else wide).cpu().numpy()
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} must not be masked; fill the gaps with .filled(value)")
    try:
        array = np.asarray(values)
    except UNREADABLE as error:
        raise ValueError(f"{name} must be an array of real numbers, got {shown(values)}") from error
    if array.dtype.kind == "c":
        raise ValueError(f"{name} must be real, got complex numbers; take their .real or abs()")
    if array.dtype.kind not in "biuf":
        cure = "; make it dense with .toarray()" if hasattr(values, "toarray") else ""
        raise ValueError(f"{name} must be an array of real numbers, got {shown(values)}{cure}")
    if array.dtype == np.uint64 and array.size and int(array.max()) >= 1 << 63:
        raise ValueError(f"{name} must be below 2^63, got {array.max()}")
    # In order, because torch takes no arrays that run backwards, such as mirrored pictures.
    return array.astype(_plain(array.dtype), order="C", copy=False)


def check_tensor(name: str, tensor: Tensor) -> None:
    """Raise a ValueError unless the tensor is dense and holds real numbers."""
    import torch

    if tensor.is_meta:
        raise ValueError(f"{name} must hold values, got a tensor on the device 'meta'")
    if tensor.is_nested or tensor.layout != torch.strided:
        kind = "nested" if tensor.is_nested else str(tensor.layout).removeprefix("torch.")
        raise ValueError(f"{name} must be dense, got a {kind} tensor; use .to_dense()")
    if tensor.is_quantized:
        raise ValueError(f"{name} must not be quantized; use .dequantize()")
    if tensor.is_complex():
        raise ValueError(f"{name} must be real, got complex numbers; take their .real or .abs()")


def is_tensor(values: Any) -> TypeGuard[Tensor]:
    """Whether `values` is a tensor; does not import torch."""
    return "torch" in sys.modules and isinstance(values, sys.modules["torch"].Tensor)


def shown(value: Any, width: int = 60) -> str:
    """The value as one line of at most `width` characters, for a message."""
    try:
        text = " ".join(repr(value).split())
    except UNREADABLE:  # Python refuses to print integers of more than 4,300 digits
        kind = type(value).__name__
        text = "a whole number of thousands of digits" if kind == "int" else f"a {kind}"
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _power(number: int | None) -> str:
    """The number as text; large ones of the form 2^n - 1 in that notation."""
    above = 0 if number is None else number + 1
    large = above >= 1 << 32 and above.bit_count() == 1
    return f"2^{above.bit_length() - 1} - 1" if large else str(number)


def _plain(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The nearest dtype that NumPy and torch both support, in native byte order."""
    import numpy as np

    if dtype.kind == "f":
        return np.dtype(np.float64 if dtype.itemsize > 4 else np.float32)
    if dtype.kind == "u" and dtype.itemsize > 1:
        return np.dtype(np.int64)
    return dtype.newbyteorder("=")
