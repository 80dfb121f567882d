/* The callable object: its type, its gate, and what generated code is told of Python's layout. */
#include "call_object.h"
#include "guard.h"

#include <stddef.h>
#include <structmember.h>
#if PY_VERSION_HEX < 0x030B0000
#include <longintrepr.h> /* later versions include it by themselves */
#endif

/* --- the gate ------------------------------------------------------------------------------- */

PyObject *lj_callable_counted(PyObject *object, PyObject *const *arguments, size_t count,
                              PyObject *keywords) {
    lj_callable *self = (lj_callable *)object;
    lj_calls *calls = self->calls;
    lj_calls_cell *cell = lj_calls_enter(calls);
#ifdef Py_GIL_DISABLED
    /* Once the call is counted, a removal waits for it; one that came just before has closed the
     * gate. */
    if (LJ_LOAD(&self->gate) != lj_callable_counted) {
        lj_calls_leave(calls, cell);
        return LJ_LOAD(&self->gate)(object, arguments, count, keywords);
    }
#endif
    PyObject *result = self->wrapper(object, arguments, count, keywords);
    lj_calls_leave(calls, cell);
    return result;
}

static PyObject *tell(PyObject *object, const char *what) {
    return PyObject_CallMethod(((lj_callable *)object)->behind, what, "O", object);
}

PyObject *lj_callable_first(PyObject *object, PyObject *const *arguments, size_t count,
                            PyObject *keywords) {
    PyObject *done = tell(object, "prepare");
    if (!done)
        return NULL;
    Py_DECREF(done);
    vectorcallfunc gate = LJ_LOAD(&((lj_callable *)object)->gate);
    if (gate == lj_callable_first) {
        PyErr_SetString(PyExc_SystemError, "a callable was prepared, and is not ready");
        return NULL;
    }
    return gate(object, arguments, count, keywords);
}

PyObject *lj_callable_gone(PyObject *object, PyObject *const *arguments, size_t count,
                           PyObject *keywords) {
    PyObject *done = tell(object, "gone");
    if (done) {
        Py_DECREF(done);
        PyErr_SetString(PyExc_SystemError, "a callable is gone, and nobody says why");
    }
    return NULL;
}

void lj_callable_open(PyObject *object, uint64_t wrapper, uint64_t target, uint64_t quick) {
    lj_callable *self = (lj_callable *)object;
    vectorcallfunc gate = lj_callable_gone;
    if (wrapper) {
        self->wrapper = (vectorcallfunc)wrapper;
        self->target = (void *)target;
        gate = quick ? (vectorcallfunc)quick : lj_callable_counted;
    }
    LJ_STORE(&self->gate, gate);
}

/* --- the type ------------------------------------------------------------------------------- */

static int traverse(PyObject *object, visitproc visit, void *arg) {
    lj_callable *self = (lj_callable *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->behind);
    Py_VISIT(self->name);
    Py_VISIT(self->names);
    Py_VISIT(self->defaults);
    return 0;
}

/* What the fields hold must last as long as the object can be called: only `behind` can be part of
 * a circle, and without it the gate is closed. */
static PyObject *no_longer(PyObject *object, PyObject *const *arguments, size_t count,
                           PyObject *keywords) {
    PyErr_SetString(PyExc_ReferenceError, "the function was collected as garbage");
    return NULL;
}

static int clear(PyObject *object) {
    lj_callable *self = (lj_callable *)object;
    LJ_STORE(&self->gate, no_longer);
    Py_CLEAR(self->behind);
    return 0;
}

static void dealloc(PyObject *object) {
    lj_callable *self = (lj_callable *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weak)
        PyObject_ClearWeakRefs(object);
    clear(object);
    Py_CLEAR(self->name);
    Py_CLEAR(self->names);
    Py_CLEAR(self->defaults);
    Py_CLEAR(self->method_doc);
    if (self->calls)
        lj_calls_release(self->calls);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *get_doc(PyObject *object, void *unused) {
    PyObject *behind = ((lj_callable *)object)->behind;
    if (!behind)
        Py_RETURN_NONE;
    return PyObject_GetAttrString(behind, "doc");
}

static PyObject *get_name(PyObject *object, void *unused) {
    PyObject *name = ((lj_callable *)object)->name;
    Py_INCREF(name);
    return name;
}

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(lj_callable, gate), READONLY},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(lj_callable, weak), READONLY},
    {NULL},
};

/* What Python itself would put into a class's dictionary: they are in the type's own, where they
 * come first. */
static PyGetSetDef properties[] = {
    {"__doc__", get_doc},
    {"__qualname__", get_name},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {0, NULL},
};

PyObject *lj_callable_type(PyObject *base, const char *name) {
    PyType_Spec spec = {
        .name = name,
        .basicsize = sizeof(lj_callable),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
        .slots = slots,
    };
    PyObject *bases = PyTuple_Pack(1, base);
    if (!bases)
        return NULL;
    PyObject *type = PyType_FromSpecWithBases(&spec, bases);
    Py_DECREF(bases);
    return type;
}

PyObject *lj_callable_new(PyObject *type, lj_calls *calls, PyObject *behind, PyObject *name,
                          PyObject *names, PyObject *defaults) {
    lj_callable *self = (lj_callable *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    if (!self)
        return NULL;
    self->gate = lj_callable_first;
    lj_calls_hold(calls);
    self->calls = calls;
    Py_INCREF(behind);
    self->behind = behind;
    Py_INCREF(name);
    self->name = name;
    Py_INCREF(names);
    self->names = names;
    Py_INCREF(defaults);
    self->defaults = defaults;
    return (PyObject *)self;
}

PyObject *lj_callable_behind(PyObject *self) {
    PyObject *behind = ((lj_callable *)self)->behind;
    if (!behind) {
        PyErr_SetString(PyExc_ReferenceError, "the function was collected as garbage");
        return NULL;
    }
    Py_INCREF(behind);
    return behind;
}

/* --- as a builtin
 * ---------------------------------------------------------------------------------
 *
 * A builtin's function with METH_FASTCALL | METH_KEYWORDS has the shape of a vectorcall function,
 * with the builtin's `self` in the first place: so the gate itself can be called. */

static PyObject *through_gate(PyObject *object, PyObject *const *arguments, Py_ssize_t count,
                              PyObject *keywords) {
    return LJ_LOAD(&((lj_callable *)object)->gate)(object, arguments, (size_t)count, keywords);
}

PyObject *lj_callable_builtin(PyObject *object) {
    lj_callable *self = (lj_callable *)object;
    if (!self->method.ml_meth) {
        PyObject *doc = get_doc(object, NULL);
        if (!doc)
            return NULL;
        const char *name = PyUnicode_AsUTF8(self->name);
        const char *words = doc == Py_None ? NULL : PyUnicode_AsUTF8(doc);
        if (!name || (doc != Py_None && !words)) {
            Py_DECREF(doc);
            return NULL;
        }
        Py_XSETREF(self->method_doc, doc);
        self->method.ml_name = name;
        self->method.ml_doc = words;
        self->method.ml_flags = METH_FASTCALL | METH_KEYWORDS;
        self->method.ml_meth = (PyCFunction)(void (*)(void))through_gate;
    }
    /* The builtin holds `self`, and with it the method's definition. */
    return PyCFunction_New(&self->method, object);
}

/* --- for whoever generates code --------------------------------------------------------------- */

void lj_call_layout_get(lj_call_layout *out) {
    *out = (lj_call_layout){
        .ob_type = offsetof(PyObject, ob_type),
        .float_value = offsetof(PyFloatObject, ob_fval),
        .complex_value = offsetof(PyComplexObject, cval),
#if PY_VERSION_HEX >= 0x030C0000
        .long_tag = offsetof(PyLongObject, long_value.lv_tag),
        .long_digit = offsetof(PyLongObject, long_value.ob_digit),
        .long_has_tag = 1,
#else
        .long_tag = offsetof(PyVarObject, ob_size),
        .long_digit = offsetof(PyLongObject, ob_digit),
        .count_none = 1, /* from 3.12 on None is immortal */
        .refcount = offsetof(PyObject, ob_refcnt),
#endif
#ifdef Py_GIL_DISABLED
        .no_gil = 1,
#endif
        .target = offsetof(lj_callable, target),
        .array_size = sizeof(lj_call_view),
        .array_data = offsetof(lj_call_view, data),
        .array_held = offsetof(lj_call_view, held),
        .array_shape = offsetof(lj_call_view, shape),
        .array_strides = offsetof(lj_call_view, strides),
        .array_most = LJ_MOST_DIMENSIONS,
    };
}

uint64_t lj_call_symbol(uint32_t i, const char **name) {
#define SYMBOL(what) {#what, (uint64_t)what}
#define OBJECT(what)                                                                               \
    {                                                                                              \
        #what, (uint64_t)&what                                                                     \
    }
    const struct {
        const char *name;
        uint64_t address;
    } symbols[] = {
        OBJECT(PyFloat_Type),
        OBJECT(PyLong_Type),
        OBJECT(PyComplex_Type),
        OBJECT(_Py_NoneStruct),
        OBJECT(_Py_TrueStruct),
        OBJECT(_Py_FalseStruct),
        SYMBOL(PyFloat_FromDouble),
        SYMBOL(PyComplex_FromDoubles),
        SYMBOL(PyLong_FromLongLong),
        SYMBOL(PyLong_FromUnsignedLongLong),
        SYMBOL(PyBool_FromLong),
        SYMBOL(PyEval_SaveThread),
        SYMBOL(PyEval_RestoreThread),
        SYMBOL(lj_callable_counted),
        SYMBOL(lj_call_arrange),
        SYMBOL(lj_call_double),
        SYMBOL(lj_call_complex),
        SYMBOL(lj_call_bool),
        SYMBOL(lj_call_signed),
        SYMBOL(lj_call_unsigned),
        SYMBOL(lj_call_pointer),
        SYMBOL(lj_call_string),
        SYMBOL(lj_call_items),
        SYMBOL(lj_call_structure),
        SYMBOL(lj_call_array),
        SYMBOL(lj_call_array_release),
        SYMBOL(lj_call_failed),
        SYMBOL(lj_call_box_pointer),
        SYMBOL(lj_call_box_string),
        SYMBOL(lj_call_box_tuple),
        SYMBOL(lj_call_box_bytes),
        {"lj_call_pending", (uint64_t)lj_guard_pending()},
        /* What a trampoline calls when the Python code behind it has raised. */
        SYMBOL(lj_guard_raise),
        /* These Python itself calls. */
        SYMBOL(lj_callable_type),
        SYMBOL(lj_callable_new),
        SYMBOL(lj_callable_behind),
        SYMBOL(lj_callable_open),
        SYMBOL(lj_callable_builtin),
        SYMBOL(lj_calls_turn),
        SYMBOL(lj_calls_busy),
        SYMBOL(lj_calls_on_drained),
        SYMBOL(lj_call_array_type),
    };
    if (i >= sizeof symbols / sizeof *symbols)
        return 0;
    *name = symbols[i].name;
    return symbols[i].address;
}
