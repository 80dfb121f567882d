/* From Python's objects to C's values and back, where the generated code does not do it itself.
 *
 * What is accepted is what Python's own argument parsing accepts: a number is what has `__float__`,
 * `__complex__` or `__index__`, never a str; an integer must fit. Complaints name the function and
 * the argument; what an object's own methods raise passes through as it is.
 */
#include "call_object.h"
#include "guard.h"

#include <stdarg.h>
#include <string.h>

/* --- complaints ------------------------------------------------------------------------------- */

/* "f() argument 'x'", "f() argument 2", "f() argument 'p' field 3". A new reference. */
static PyObject *words_for(const lj_callable *self, uint32_t place) {
    uint32_t number = place & 0xFFFF, field = place >> 16;
    PyObject *name = NULL, *words;
    if (number < PyTuple_GET_SIZE(self->names))
        name = PyTuple_GET_ITEM(self->names, number);
    if (name && PyUnicode_GetLength(name) > 0)
        words = PyUnicode_FromFormat("%U() argument '%U'", self->name, name);
    else
        words = PyUnicode_FromFormat("%U() argument %u", self->name, number + 1);
    if (!words || !field)
        return words;
    PyObject *longer = PyUnicode_FromFormat("%U field %u", words, field);
    Py_DECREF(words);
    return longer;
}

int lj_call_complain(PyObject *object, PyObject *type, uint32_t place, const char *format, ...) {
    PyObject *subject = words_for((lj_callable *)object, place);
    va_list arguments;
    va_start(arguments, format);
    PyObject *words = subject ? PyUnicode_FromFormatV(format, arguments) : NULL;
    va_end(arguments);
    if (words)
        PyErr_Format(type, "%U %U", subject, words);
    Py_XDECREF(words);
    Py_XDECREF(subject);
    return -1;
}

static int must_be(PyObject *self, uint32_t place, const char *what, PyObject *value) {
    const char *is = value == Py_None ? "None" : Py_TYPE(value)->tp_name;
    return lj_call_complain(self, PyExc_TypeError, place, "must be %s, not %.100s", what, is);
}

/* --- the number of arguments, and names ----------------------------------------------------------
 */

static int wrong_count(const lj_callable *self, int64_t count, int64_t wanted) {
    Py_ssize_t defaults = PyTuple_GET_SIZE(self->defaults);
    const char *how = !defaults ? "exactly" : count < wanted ? "at least" : "at most";
    int64_t bound = defaults && count < wanted ? wanted - defaults : wanted;
    PyErr_Format(PyExc_TypeError, "%U() takes %s %lld argument%s (%lld given)", self->name, how,
                 (long long)bound, bound == 1 ? "" : "s", (long long)count);
    return -1;
}

static int64_t place_of(const lj_callable *self, PyObject *keyword, int64_t wanted) {
    if (!PyUnicode_GetLength(keyword))
        return -1; /* that is how nameless arguments are kept */
    for (int64_t i = 0; i < wanted; i++)
        if (PyTuple_GET_ITEM(self->names, i) == keyword)
            return i;
    for (int64_t i = 0; i < wanted; i++)
        if (!PyUnicode_Compare(PyTuple_GET_ITEM(self->names, i), keyword))
            return i;
    return -1;
}

int lj_call_arrange(PyObject *object, PyObject *const *arguments, int64_t count, PyObject *keywords,
                    PyObject **out, int64_t wanted) {
    const lj_callable *self = (lj_callable *)object;
    int64_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;
    int64_t defaults = PyTuple_GET_SIZE(self->defaults);
    if (count > wanted || (!named && count < wanted - defaults))
        return wrong_count(self, count, wanted);
    for (int64_t i = 0; i < wanted; i++)
        out[i] = i < count ? arguments[i] : NULL;
    for (int64_t i = 0; i < named; i++) {
        PyObject *keyword = PyTuple_GET_ITEM(keywords, i);
        int64_t place = place_of(self, keyword, wanted);
        if (place < 0) {
            PyErr_Format(PyExc_TypeError, "%U() got an unexpected keyword argument '%U'",
                         self->name, keyword);
            return -1;
        }
        if (out[place]) {
            PyErr_Format(PyExc_TypeError, "%U() got multiple values for argument '%U'", self->name,
                         keyword);
            return -1;
        }
        out[place] = arguments[count + i];
    }
    for (int64_t i = 0; i < wanted; i++) {
        if (!out[i] && i >= wanted - defaults)
            out[i] = PyTuple_GET_ITEM(self->defaults, i - (wanted - defaults));
        if (!out[i]) {
            PyObject *name = PyTuple_GET_ITEM(self->names, i);
            if (PyUnicode_GetLength(name) > 0)
                PyErr_Format(PyExc_TypeError, "%U() missing required argument '%U' (pos %lld)",
                             self->name, name, (long long)i + 1);
            else
                PyErr_Format(PyExc_TypeError, "%U() missing required argument %lld", self->name,
                             (long long)i + 1);
            return -1;
        }
    }
    return 0;
}

/* --- numbers -------------------------------------------------------------------------------------
 */

/* The pending OverflowError again, with the argument in it. */
static int overflow(PyObject *self, uint32_t place, const char *words) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        lj_call_complain(self, PyExc_OverflowError, place, "%s", words);
    }
    return -1;
}

static int is_real(PyObject *value) {
    PyNumberMethods *methods = Py_TYPE(value)->tp_as_number;
    return PyFloat_Check(value) || (methods && (methods->nb_float || methods->nb_index));
}

int lj_call_double(PyObject *self, PyObject *value, uint32_t place, double *out) {
    if (!is_real(value))
        return must_be(self, place, "real number", value);
    *out = PyFloat_AsDouble(value);
    if (*out == -1.0 && PyErr_Occurred())
        return PyLong_Check(value) ? overflow(self, place, "is too large to convert to float") : -1;
    return 0;
}

int lj_call_complex(PyObject *self, PyObject *value, uint32_t place, double *out) {
    if (!PyComplex_Check(value) && !is_real(value)) {
        PyObject *method = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__complex__");
        if (!method) {
            PyErr_Clear();
            return must_be(self, place, "a number", value);
        }
        Py_DECREF(method);
    }
    Py_complex number = PyComplex_AsCComplex(value);
    if (number.real == -1.0 && PyErr_Occurred())
        return PyLong_Check(value) ? overflow(self, place, "is too large to convert to complex")
                                   : -1;
    out[0] = number.real;
    out[1] = number.imag;
    return 0;
}

int lj_call_bool(PyObject *self, PyObject *value, uint32_t place, uint8_t *out) {
    (void)self, (void)place;
    int truth = PyObject_IsTrue(value);
    *out = truth > 0;
    return truth < 0 ? -1 : 0;
}

/* A new reference to the int of an integer. */
static PyObject *integer(PyObject *self, PyObject *value, uint32_t place) {
    if (!PyIndex_Check(value)) {
        must_be(self, place, "int", value);
        return NULL;
    }
    return PyNumber_Index(value);
}

static int does_not_fit(PyObject *self, uint32_t place, int negative, const char *sign,
                        uint32_t bits) {
    if (negative && *sign)
        return lj_call_complain(self, PyExc_OverflowError, place,
                                "can't convert negative int to uint%u", bits);
    return lj_call_complain(self, PyExc_OverflowError, place, "is too %s to convert to %sint%u",
                            negative ? "small" : "large", sign, bits);
}

int lj_call_signed(PyObject *self, PyObject *value, uint32_t place, uint32_t bits, int64_t *out) {
    PyObject *number = integer(self, value, place);
    if (!number)
        return -1;
    int overflow;
    long long result = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (result == -1 && !overflow && PyErr_Occurred())
        return -1;
    int64_t most = (int64_t)(UINT64_MAX >> (65 - bits));
    if (!overflow && (result > most || result < -most - 1))
        overflow = result > 0 ? 1 : -1;
    if (overflow)
        return does_not_fit(self, place, overflow < 0, "", bits);
    *out = result;
    return 0;
}

int lj_call_unsigned(PyObject *self, PyObject *value, uint32_t place, uint32_t bits,
                     uint64_t *out) {
    PyObject *number = integer(self, value, place);
    if (!number)
        return -1;
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(number, &overflow);
    unsigned long long result = (unsigned long long)small;
    int negative = overflow < 0 || (!overflow && small < 0), fits = !negative;
    if (overflow > 0) {
        result = PyLong_AsUnsignedLongLong(number);
        if (result == (unsigned long long)-1 && PyErr_Occurred()) {
            PyErr_Clear();
            fits = 0;
        }
    }
    Py_DECREF(number);
    if (!fits || result > UINT64_MAX >> (64 - bits))
        return does_not_fit(self, place, negative, "u", bits);
    *out = result;
    return 0;
}

/* --- pointers and structures
 * ---------------------------------------------------------------------- */

static int address_of(PyObject *self, PyObject *number, uint32_t place, void **out) {
    uint64_t address;
    if (lj_call_unsigned(self, number, place, 64, &address))
        return -1;
    *out = (void *)address;
    return 0;
}

int lj_call_pointer(PyObject *self, PyObject *value, uint32_t place, void **out) {
    if (value == Py_None) {
        *out = NULL;
        return 0;
    }
    if (PyLong_CheckExact(value))
        return address_of(self, value, place, out);
    PyObject *found = PyObject_CallMethod(((lj_callable *)self)->behind, "pointer", "IO",
                                          (unsigned)(place & 0xFFFF), value);
    if (!found)
        return -1;
    int failed = 0;
    if (PyLong_Check(found))
        failed = address_of(self, found, place, out);
    else
        failed = must_be(self, place, PyUnicode_AsUTF8(found), value);
    Py_DECREF(found);
    return failed;
}

int lj_call_string(PyObject *self, PyObject *value, uint32_t place, void **out) {
    const char *bytes = NULL;
    Py_ssize_t length = 0;
    if (value == Py_None) {
        *out = NULL;
        return 0;
    }
    if (PyBytes_Check(value)) {
        bytes = PyBytes_AS_STRING(value);
        length = PyBytes_GET_SIZE(value);
    } else if (PyUnicode_Check(value)) {
        bytes = PyUnicode_AsUTF8AndSize(value, &length);
        if (!bytes)
            return -1;
    } else {
        return must_be(self, place, "bytes, str or None", value);
    }
    if (strlen(bytes) != (size_t)length)
        return lj_call_complain(self, PyExc_ValueError, place, "has an embedded null byte");
    *out = (void *)bytes;
    return 0;
}

int lj_call_items(PyObject *self, PyObject *value, uint32_t place, int64_t count, PyObject **out) {
    if (!PyTuple_Check(value) && !PyList_Check(value))
        return must_be(self, place, "tuple", value);
    if (PySequence_Fast_GET_SIZE(value) != count)
        return lj_call_complain(self, PyExc_ValueError, place, "must have %lld items, not %zd",
                                (long long)count, PySequence_Fast_GET_SIZE(value));
    memcpy(out, PySequence_Fast_ITEMS(value), (size_t)count * sizeof *out);
    return 0;
}

int lj_call_structure(PyObject *self, PyObject *value, uint32_t place, int64_t size, void *out) {
    PyObject *class = PyObject_CallMethod(((lj_callable *)self)->behind, "structure", "I",
                                          (unsigned)(place & 0xFFFF));
    if (!class)
        return -1;
    int is = PyObject_IsInstance(value, class);
    if (!is)
        must_be(self, place, ((PyTypeObject *)class)->tp_name, value);
    Py_DECREF(class);
    if (is <= 0)
        return -1;
    Py_buffer buffer;
    if (PyObject_GetBuffer(value, &buffer, PyBUF_SIMPLE))
        return -1;
    int fits = buffer.len == size;
    if (fits)
        memcpy(out, buffer.buf, (size_t)size);
    PyBuffer_Release(&buffer);
    return fits ? 0 : must_be(self, place, "a structure of another size", value);
}

/* --- and back
 * -------------------------------------------------------------------------------------- */

int lj_call_failed(PyObject *self) {
    uint64_t token = lj_guard_take();
    if (!token)
        return 0; /* it was another thread's */
    PyObject *done = PyObject_CallMethod(((lj_callable *)self)->behind, "failed", "K",
                                         (unsigned long long)token);
    if (done) {
        Py_DECREF(done);
        PyErr_SetString(PyExc_SystemError, "a first call failed, and nobody says why");
    }
    return -1;
}

PyObject *lj_call_box_pointer(void *address) {
    if (!address)
        Py_RETURN_NONE;
    return PyLong_FromVoidPtr(address);
}

PyObject *lj_call_box_string(const char *string) {
    if (!string)
        Py_RETURN_NONE;
    return PyBytes_FromString(string);
}

PyObject *lj_call_box_tuple(PyObject **items, int64_t count) {
    PyObject *tuple = PyTuple_New(count);
    for (int64_t i = 0; i < count; i++) {
        if (!items[i])
            Py_CLEAR(tuple);
    }
    for (int64_t i = 0; i < count; i++) {
        if (tuple)
            PyTuple_SET_ITEM(tuple, i, items[i]);
        else
            Py_XDECREF(items[i]);
    }
    return tuple;
}

PyObject *lj_call_box_bytes(PyObject *self, uint32_t place, const void *bytes, int64_t size) {
    return PyObject_CallMethod(((lj_callable *)self)->behind, "result", "Iy#", (unsigned)place,
                               (const char *)bytes, (Py_ssize_t)size);
}
