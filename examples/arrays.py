"""Arrays as arguments: lent to the call, and checked for what the signature says of them.

IR has only `ptr`. A signature says what the pointer is to: the type of the elements, the number of
dimensions, whether they must be contiguous and may be read-only, and whether the function also
takes the extents and strides. Anything that has the buffer protocol or `__array_interface__` will
do. With `nogil=True`, threads run the function at once.
"""

import array
import threading

import numpy as np

import lazyjit

SOURCE = """
define void @saxpy(double %a, ptr %x, ptr %y, i64 %n) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %next, label %done
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %xp = getelementptr double, ptr %x, i64 %i
  %yp = getelementptr double, ptr %y, i64 %i
  %xv = load double, ptr %xp
  %yv = load double, ptr %yp
  %ax = fmul double %a, %xv
  %sum = fadd double %ax, %yv
  store double %sum, ptr %yp
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %n
  br i1 %more, label %next, label %done
done:
  ret void
}

; The sum of a column of any layout: its address, extent, and stride in bytes.
define double @total(ptr %x, i64 %n, i64 %stride) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %next, label %done
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %s = phi double [ 0.0, %entry ], [ %sum, %next ]
  %at = mul i64 %i, %stride
  %p = getelementptr i8, ptr %x, i64 %at
  %v = load double, ptr %p
  %sum = fadd double %s, %v
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %n
  br i1 %more, label %next, label %done
done:
  %result = phi double [ 0.0, %entry ], [ %sum, %next ]
  ret double %result
}
"""

with lazyjit.JIT() as jit:
    jit.add(SOURCE)
    saxpy = jit.callable("saxpy", "void(double a, const double[:] x, double[:] y, int64 n)")
    x, y = np.arange(4.0), np.ones(4)
    saxpy(10.0, x, y, 4)
    print("numpy:", y)
    mine = array.array("d", [1, 2, 3])
    saxpy(2.0, mine, mine, 3)
    print("array:", mine.tolist())

    y.flags.writeable = False
    for arguments in (
        (1.0, x.astype("f4"), x, 4),
        (1.0, x[::2], x, 2),
        (1.0, x.reshape(2, 2), x, 4),
        (1.0, x, y, 4),
    ):
        try:
            saxpy(*arguments)
        except (TypeError, ValueError) as error:
            print(" ", error)

    total = jit.callable("total", "double(const double[:] shape strides)")
    table = np.arange(12.0).reshape(3, 4)
    print("columns:", [total(table[:, i]) for i in range(4)], "backwards:", total(x[::-1]))

    # Each thread has a part of one large array.
    whole, ones = np.zeros(1_000_000), np.ones(1_000_000)
    freely = jit.callable("saxpy", saxpy.signature, nogil=True)
    threads = [
        threading.Thread(target=freely, args=(3.0, ones[i::4].copy(), part, len(part)))
        for i, part in enumerate(np.split(whole, 4))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("in four threads:", whole.min(), whole.max())
