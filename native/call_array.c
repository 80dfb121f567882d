/* Arrays: what has the buffer protocol or `__array_interface__`, lent to a call.
 *
 * NumPy's own arrays are the common case, and asking them through the buffer protocol costs 100 ns
 * and more (they make a format string). So the fields of an exact `numpy.ndarray` are read as they
 * are: PyArrayObject_fields, which is part of NumPy's ABI and the same in 1.x and 2.x. The array is
 * kept alive by the caller's reference. Everything else goes through Py_buffer.
 *
 * Checked are kind and size of the elements, their order of bytes, dimensions, extents, contiguity
 * where the signature asks for it, alignment, and, unless the signature says const, that the array
 * may be written to.
 */
#include "call_object.h"

#include <string.h>

/* numpy/ndarraytypes.h: PyArrayObject_fields, up to `flags`. */
typedef struct ndarray {
    PyObject_HEAD char *data;
    int nd;
    Py_ssize_t *dimensions;
    Py_ssize_t *strides;
    PyObject *base;
    PyObject *descr;
    int flags;
} ndarray;

enum { NPY_C = 0x1, NPY_F = 0x2, NPY_ALIGNED = 0x100, NPY_WRITEABLE = 0x400 };

static PyTypeObject *array_type;

void lj_call_array_type(PyObject *type) {
    array_type = (PyTypeObject *)type;
}

static const char *plural(uint32_t count) {
    return count == 1 ? "" : "s";
}

static int check_shape(PyObject *self, uint32_t place, const lj_call_array_kind *kind,
                       int dimensions, const Py_ssize_t *shape, const Py_ssize_t *strides,
                       lj_call_view *out) {
    if (dimensions < 0)
        return lj_call_complain(self, PyExc_ValueError, place, "has too many dimensions");
    if (dimensions != (int)kind->dimensions)
        return lj_call_complain(self, PyExc_ValueError, place, "must have %u dimension%s, not %d",
                                kind->dimensions, plural(kind->dimensions), dimensions);
    for (int i = 0; i < dimensions; i++) {
        if (kind->extents[i] >= 0 && shape[i] != kind->extents[i])
            return lj_call_complain(self, PyExc_ValueError, place,
                                    "must have %lld elements in dimension %d, not %zd",
                                    (long long)kind->extents[i], i, shape[i]);
        out->shape[i] = shape[i];
        out->strides[i] = strides[i];
    }
    return 0;
}

static int wrong_order(PyObject *self, uint32_t place, const lj_call_array_kind *kind) {
    return lj_call_complain(self, PyExc_ValueError, place, "must be %s-contiguous",
                            kind->flags & LJ_ARRAY_C ? "C" : "Fortran");
}

static int read_only(PyObject *self, uint32_t place) {
    return lj_call_complain(self, PyExc_ValueError, place, "must be writable, and is read-only");
}

static int misaligned(PyObject *self, uint32_t place) {
    return lj_call_complain(self, PyExc_ValueError, place, "must be aligned");
}

/* --- through the buffer protocol
 * ------------------------------------------------------------------ */

static int matches(const lj_call_array_kind *kind, const char *format, Py_ssize_t itemsize) {
    if (itemsize != (Py_ssize_t)kind->itemsize)
        return 0;
    if (!format)
        format = "B";
    if (*format == '@' || *format == '=' || *format == '<')
        format++;
    else if (*format == '>' || *format == '!') {
        if (itemsize > 1)
            return 0;
        format++;
    }
    if (kind->kind == 'c')
        return !strcmp(format, "Zf") || !strcmp(format, "Zd");
    if (!*format || format[1])
        return 0;
    const char *codes = kind->kind == 'f'   ? "fd"
                        : kind->kind == 'i' ? "bhilqn"
                        : kind->kind == 'u' ? "BHILQN"
                                            : "?";
    return strchr(codes, *format) != NULL;
}

/* Some exporters (ctypes) leave out what was asked for, where it can be worked out. */
static int complete(Py_buffer *buffer, Py_ssize_t *shape, Py_ssize_t *strides) {
    if (buffer->ndim > LJ_MOST_DIMENSIONS)
        return 0; /* there is no room; and no signature has so many */
    if (!buffer->shape) {
        if (buffer->ndim > 1)
            return 0;
        shape[0] = buffer->itemsize ? buffer->len / buffer->itemsize : 0;
    } else {
        memcpy(shape, buffer->shape, (size_t)buffer->ndim * sizeof *shape);
    }
    if (buffer->strides) {
        memcpy(strides, buffer->strides, (size_t)buffer->ndim * sizeof *strides);
        return 1;
    }
    Py_ssize_t stride = buffer->itemsize;
    for (int i = buffer->ndim; i-- > 0;) {
        strides[i] = stride;
        stride *= shape[i];
    }
    return 1;
}

static int from_buffer(PyObject *self, PyObject *value, uint32_t place,
                       const lj_call_array_kind *kind, lj_call_view *out) {
    int writable = kind->flags & LJ_ARRAY_WRITABLE;
    Py_buffer *buffer = &out->buffer;
    if (PyObject_GetBuffer(value, buffer, PyBUF_FULL_RO))
        return -1;
    out->held = 1;
    out->data = buffer->buf;
    if (buffer->suboffsets)
        return lj_call_complain(self, PyExc_ValueError, place, "must be in one piece of memory");
    if (!matches(kind, buffer->format, buffer->itemsize))
        return lj_call_complain(self, PyExc_TypeError, place,
                                "must be an array of %s, not of format '%s'", kind->element,
                                buffer->format ? buffer->format : "B");
    Py_ssize_t shape[LJ_MOST_DIMENSIONS] = {0}, strides[LJ_MOST_DIMENSIONS] = {0};
    int known = complete(buffer, shape, strides);
    if (check_shape(self, place, kind, known ? buffer->ndim : -1, shape, strides, out))
        return -1;
    if ((kind->flags & LJ_ARRAY_C && !PyBuffer_IsContiguous(buffer, 'C')) ||
        (kind->flags & LJ_ARRAY_F && !PyBuffer_IsContiguous(buffer, 'F')))
        return wrong_order(self, place, kind);
    if (writable && buffer->readonly)
        return read_only(self, place);
    uint64_t addresses = (uint64_t)buffer->buf;
    for (int i = 0; i < buffer->ndim; i++)
        addresses |= (uint64_t)strides[i];
    uint64_t unit = kind->kind == 'c' ? kind->itemsize / 2 : kind->itemsize;
    if (buffer->len && addresses & (unit - 1))
        return misaligned(self, place);
    return 0;
}

/* --- NumPy's arrays
 * ------------------------------------------------------------------------------- */

static int from_numpy(PyObject *self, PyObject *value, uint32_t place,
                      const lj_call_array_kind *kind, lj_call_view *out) {
    const ndarray *array = (ndarray *)value;
    if (array->descr != kind->descriptor)
        return from_buffer(self, value, place, kind, out); /* perhaps another name for the same */
    if (check_shape(self, place, kind, array->nd, array->dimensions, array->strides, out))
        return -1;
    int flags = array->flags;
    if ((kind->flags & LJ_ARRAY_C && !(flags & NPY_C)) ||
        (kind->flags & LJ_ARRAY_F && !(flags & NPY_F)))
        return wrong_order(self, place, kind);
    if (kind->flags & LJ_ARRAY_WRITABLE && !(flags & NPY_WRITEABLE))
        return read_only(self, place);
    if (!(flags & NPY_ALIGNED))
        return misaligned(self, place);
    out->data = array->data;
    return 0;
}

int lj_call_array(PyObject *self, PyObject *value, uint32_t place, const lj_call_array_kind *kind,
                  lj_call_view *out) {
    if (Py_TYPE(value) == array_type)
        return from_numpy(self, value, place, kind, out);
    if (value == Py_None && kind->flags & LJ_ARRAY_OPTIONAL) {
        out->data = NULL;
        memset(out->shape, 0, sizeof out->shape);
        memset(out->strides, 0, sizeof out->strides);
        return 0;
    }
    if (PyObject_CheckBuffer(value))
        return from_buffer(self, value, place, kind, out);
    /* `array` of the Python side makes a view of what has __array_interface__, or gives None. */
    PyObject *view = PyObject_CallMethod(((lj_callable *)self)->behind, "array", "O", value);
    if (!view)
        return -1;
    if (view == Py_None) {
        Py_DECREF(view);
        return lj_call_complain(self, PyExc_TypeError, place, "must be an array of %s, not %.100s",
                                kind->element, value == Py_None ? "None" : Py_TYPE(value)->tp_name);
    }
    int failed = from_buffer(self, view, place, kind, out);
    Py_DECREF(view); /* the buffer holds it */
    return failed;
}

void lj_call_array_release(lj_call_view *view) {
    view->held = 0;
    PyBuffer_Release(&view->buffer);
}
