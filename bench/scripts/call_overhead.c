/* The two functions whose calls bench/workloads/callables.py measures, and, when it is built as an
 * extension module, what a careful author of one writes around them by hand. */
#include <stdint.h>

double add(double a, double b) {
    return a + b;
}

void touch(const double *x, double *y, int64_t n) {
    if (n > 0)
        y[0] = x[0];
}

#ifdef AS_EXTENSION
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *py_add(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "add() takes exactly 2 arguments (%zd given)", count);
        return NULL;
    }
    double a = PyFloat_AsDouble(args[0]);
    if (a == -1.0 && PyErr_Occurred())
        return NULL;
    double b = PyFloat_AsDouble(args[1]);
    if (b == -1.0 && PyErr_Occurred())
        return NULL;
    return PyFloat_FromDouble(add(a, b));
}

static int get(PyObject *object, Py_buffer *view, int writable) {
    int flags = PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, view, flags))
        return -1;
    if (view->ndim == 1 && view->format && view->format[0] == 'd' && !view->format[1])
        return 0;
    PyErr_SetString(PyExc_TypeError, "touch() takes one-dimensional arrays of double");
    PyBuffer_Release(view);
    return -1;
}

static PyObject *py_touch(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    Py_buffer x, y;
    if (count != 3) {
        PyErr_Format(PyExc_TypeError, "touch() takes exactly 3 arguments (%zd given)", count);
        return NULL;
    }
    int64_t n = PyLong_AsLongLong(args[2]);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    if (get(args[0], &x, 0))
        return NULL;
    if (get(args[1], &y, 1)) {
        PyBuffer_Release(&x);
        return NULL;
    }
    touch(x.buf, y.buf, n);
    PyBuffer_Release(&x);
    PyBuffer_Release(&y);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)(void (*)(void))py_add, METH_FASTCALL, NULL},
    {"touch", (PyCFunction)(void (*)(void))py_touch, METH_FASTCALL, NULL},
    {NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "call_overhead", NULL, -1, methods};

PyMODINIT_FUNC PyInit_call_overhead(void) {
    return PyModule_Create(&definition);
}
#endif
