/* The graph as a Python object: its nodes stand for works, which it holds while they are nodes.
 *
 * Methods of a type, and not functions for cffi, because they are called with the session's lock
 * held: cffi lets go of the GIL around each call, and whoever takes it then may run for some
 * milliseconds while nobody gets that lock. The lock also keeps threads from each other here.
 *
 * `needs` is all that looks into a work. It is here because each name that is depended on leads all
 * over memory, to a table's entry, a work, its number: this loop has several such ways under way at
 * once, Python's one.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "depend.h"

#include <structmember.h>

typedef struct graph_object {
    PyObject_HEAD lj_depend *graph;
    PyTypeObject *work;               /* of entries that may be nodes */
    PyTypeObject *ready, *also_ready; /* of those that nobody waits for */
    PyObject *become_node;            /* function of a work: its new number */
    Py_ssize_t node, places;          /* offsets of slots in a work */
} graph_object;

static lj_depend *graph_of(PyObject *self) {
    return ((graph_object *)self)->graph;
}

static PyObject *slot(PyObject *work, Py_ssize_t offset) {
    return *(PyObject **)((char *)work + offset);
}

static PyObject *failed(lj_status status) {
    if (status == LJ_NO_MEMORY)
        return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, "not a node, or not of that kind");
    return NULL;
}

/* --- arguments and results -------------------------------------------------------------------- */

/* A list's numbers; few of them need no memory. */
typedef struct numbers {
    uint32_t count;
    uint64_t *items;
    uint64_t few[32];
} numbers;

static void numbers_free(numbers *out) {
    if (out->items != out->few)
        PyMem_Free(out->items);
}

static bool numbers_of(PyObject *list, numbers *out) {
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "numbers come in a list");
        return false;
    }
    out->count = (uint32_t)PyList_GET_SIZE(list);
    out->items = out->count <= sizeof out->few / sizeof *out->few
                     ? out->few
                     : PyMem_Malloc(out->count * sizeof *out->items);
    if (!out->items) {
        PyErr_NoMemory();
        return false;
    }
    for (uint32_t i = 0; i < out->count; i++) {
        out->items[i] = PyLong_AsUnsignedLongLong(PyList_GET_ITEM(list, i));
        if (out->items[i] == UINT64_MAX && PyErr_Occurred()) {
            numbers_free(out);
            return false;
        }
    }
    return true;
}

static bool node_of(PyObject *number, uint32_t *out) {
    unsigned long node = PyLong_AsUnsignedLong(number);
    *out = node <= UINT32_MAX ? (uint32_t)node : 0;
    return node != (unsigned long)-1 || !PyErr_Occurred();
}

/* The graph's references become the list's. */
static PyObject *list_of(const lj_depend_over *over) {
    PyObject *list = PyList_New(over->count);
    for (uint32_t i = 0; i < over->count; i++)
        if (list)
            PyList_SET_ITEM(list, i, over->what[i]);
        else
            Py_DECREF((PyObject *)over->what[i]);
    return list;
}

/* --- methods -------------------------------------------------------------------------------- */

static PyObject *add(PyObject *self, PyObject *what) {
    uint32_t node;
    lj_status status = lj_depend_add(graph_of(self), what, &node);
    if (status)
        return failed(status);
    Py_INCREF(what);
    return PyLong_FromUnsignedLong(node);
}

typedef lj_status step(lj_depend *, uint32_t, uint32_t, const lj_need *, lj_depend_over *);

/* Of a node and a list of needs. */
static PyObject *take_step(PyObject *self, PyObject *const *args, Py_ssize_t count, step *take) {
    uint32_t node;
    numbers needs;
    lj_depend_over over;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "a node and its needs, not %zd arguments", count);
    if (!node_of(args[0], &node) || !numbers_of(args[1], &needs))
        return NULL;
    lj_status status = take(graph_of(self), node, needs.count, needs.items, &over);
    numbers_free(&needs);
    return status ? failed(status) : list_of(&over);
}

static PyObject *emit(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return take_step(self, args, count, lj_depend_emit);
}

static PyObject *move(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return take_step(self, args, count, lj_depend_move);
}

static PyObject *fail(PyObject *self, PyObject *list) {
    numbers nodes;
    lj_depend_over over;
    if (!numbers_of(list, &nodes))
        return NULL;
    lj_status status = lj_depend_fail(graph_of(self), nodes.count, nodes.items, &over);
    numbers_free(&nodes);
    return status ? failed(status) : list_of(&over);
}

static PyObject *wanted(PyObject *self, PyObject *number) {
    uint32_t node;
    if (!node_of(number, &node))
        return NULL;
    uint32_t count = lj_depend_wanted(graph_of(self), node, 0, NULL);
    uint32_t *labels = PyMem_Malloc(count * sizeof *labels);
    if (!labels)
        return PyErr_NoMemory();
    lj_depend_wanted(graph_of(self), node, count, labels);
    PyObject *list = PyList_New(count);
    for (uint32_t i = 0; list && i < count; i++) {
        PyObject *label = PyLong_FromUnsignedLong(labels[i]);
        if (label)
            PyList_SET_ITEM(list, i, label);
        else
            Py_CLEAR(list);
    }
    PyMem_Free(labels);
    return list;
}

static PyObject *check(PyObject *self, PyObject *unused) {
    const char *broken = lj_depend_check(graph_of(self));
    if (broken)
        return PyUnicode_FromString(broken);
    Py_RETURN_NONE;
}

/* The edge to a name of `work`: a new reference. */
static PyObject *need(graph_object *self, PyObject *work, PyObject *name) {
    PyObject *node = slot(work, self->node), *places;
    if (!PyObject_IsTrue(node)) { /* 0 */
        node = PyObject_CallFunctionObjArgs(self->become_node, work, NULL);
        if (!node)
            return NULL;
    } else {
        Py_INCREF(node);
    }
    places = slot(work, self->places);
    if (places == Py_None)
        return node;
    PyObject *place = PyObject_GetItem(places, name);
    unsigned long long label = place ? PyLong_AsUnsignedLongLong(place) : 0,
                       number = PyLong_AsUnsignedLongLong(node);
    Py_DECREF(node);
    Py_XDECREF(place);
    return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(number | label << 32);
}

static int append(PyObject *list, PyObject *stolen) {
    int status = stolen ? PyList_Append(list, stolen) : -1;
    Py_XDECREF(stolen);
    return status;
}

static PyObject *needs(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    if (count != 4 || !PyDict_Check(args[1]) || !PyList_Check(args[3]))
        return PyErr_Format(PyExc_TypeError, "a work, a table, names, and a list for needs");
    graph_object *self = (graph_object *)object;
    PyObject *names = PySequence_Fast(args[2], "names are a collection");
    PyObject *others = names ? PyList_New(0) : NULL;
    for (Py_ssize_t i = 0; others && i < PySequence_Fast_GET_SIZE(names); i++) {
        PyObject *name = PySequence_Fast_GET_ITEM(names, i);
        PyObject *entry = PyDict_GetItemWithError(args[1], name);
        PyTypeObject *type = entry ? Py_TYPE(entry) : NULL;
        int status = 0;
        if (PyErr_Occurred())
            status = -1;
        else if (type == self->work)
            status = entry == args[0] ? 0 : append(args[3], need(self, entry, name));
        else if (type != self->ready && type != self->also_ready)
            status = PyList_Append(others, name);
        if (status < 0)
            Py_CLEAR(others);
    }
    Py_XDECREF(names);
    return others;
}

static PyMethodDef methods[] = {
    {"add", add, METH_O, NULL},
    {"needs", (PyCFunction)(void (*)(void))needs, METH_FASTCALL, NULL},
    {"emit", (PyCFunction)(void (*)(void))emit, METH_FASTCALL, NULL},
    {"wanted", wanted, METH_O, NULL},
    {"move", (PyCFunction)(void (*)(void))move, METH_FASTCALL, NULL},
    {"fail", fail, METH_O, NULL},
    {"check", check, METH_NOARGS, NULL},
    {NULL},
};

/* --- the type ------------------------------------------------------------------------------- */

/* Of a slot that the class declares, or -1 with an exception. */
static Py_ssize_t offset_of(PyTypeObject *class, const char *name) {
    PyObject *descriptor = PyObject_GetAttrString((PyObject *)class, name);
    Py_ssize_t offset = -1;
    if (descriptor && Py_IS_TYPE(descriptor, &PyMemberDescr_Type))
        offset = ((PyMemberDescrObject *)descriptor)->d_member->offset;
    else if (descriptor)
        PyErr_Format(PyExc_TypeError, "%s is not a slot", name);
    Py_XDECREF(descriptor);
    return offset;
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PyTypeObject *work, *ready, *also_ready;
    PyObject *become_node;
    if (!PyArg_ParseTuple(args, "O!O!O!O", &PyType_Type, &work, &PyType_Type, &ready, &PyType_Type,
                          &also_ready, &become_node))
        return NULL;
    Py_ssize_t node = offset_of(work, "node");
    Py_ssize_t places = node < 0 ? -1 : offset_of(work, "places");
    graph_object *self = places < 0 ? NULL : (graph_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->work = (PyTypeObject *)Py_NewRef(work);
    self->ready = (PyTypeObject *)Py_NewRef(ready);
    self->also_ready = (PyTypeObject *)Py_NewRef(also_ready);
    self->become_node = Py_NewRef(become_node);
    self->node = node;
    self->places = places;
    if (lj_depend_new(&self->graph)) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static int traverse(PyObject *object, visitproc visit, void *arg) {
    graph_object *self = (graph_object *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->work);
    Py_VISIT(self->ready);
    Py_VISIT(self->also_ready);
    Py_VISIT(self->become_node);
    uint32_t at = 0;
    for (PyObject *what; self->graph && (what = lj_depend_next(self->graph, &at));)
        Py_VISIT(what);
    return 0;
}

static void dealloc(PyObject *object) {
    graph_object *self = (graph_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    uint32_t at = 0;
    for (PyObject *what; self->graph && (what = lj_depend_next(self->graph, &at));)
        Py_DECREF(what);
    lj_depend_dispose(self->graph);
    Py_XDECREF(self->work);
    Py_XDECREF(self->ready);
    Py_XDECREF(self->also_ready);
    Py_XDECREF(self->become_node);
    type->tp_free(object);
    Py_DECREF(type);
}

/* No tp_clear: circles through a graph go through its session too, which can be cleared, and
 * finalizers that run then may still use the graph. */
static PyType_Slot slots[] = {
    {Py_tp_new, new},
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "lazyjit.core.dependence.DependenceGraph",
    .basicsize = sizeof(graph_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

static PyObject *make(void) {
    return PyType_FromSpec(&spec);
}

uint64_t lj_depend_type(void) {
    return (uint64_t)make;
}
