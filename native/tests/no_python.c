/* The functions of CPython that native code calls, for C-level tests that run without it.
 *
 * No thread holds a GIL here, and none is one of a Python pool's: only the questions are answered.
 * What would need an interpreter ends the test.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>

int Py_IsInitialized(void) {
    return 0;
}

#if PY_VERSION_HEX >= 0x030D0000
PyThreadState *PyThreadState_GetUnchecked(void) {
    return NULL;
}
#endif
PyThreadState *_PyThreadState_UncheckedGet(void) {
    return NULL;
}
PyThreadState *PyGILState_GetThisThreadState(void) {
    return NULL;
}

PyThreadState *PyEval_SaveThread(void) {
    abort();
}
void PyEval_RestoreThread(PyThreadState *thread) {
    abort();
}
PyGILState_STATE PyGILState_Ensure(void) {
    abort();
}
void PyGILState_Release(PyGILState_STATE state) {
    abort();
}
PyObject *PyObject_CallFunction(PyObject *callable, const char *format, ...) {
    abort();
}
void PyErr_WriteUnraisable(PyObject *object) {
    abort();
}
void _Py_Dealloc(PyObject *object) {
    abort();
}
