"""Layers: from what a program is written in to symbols of a session.

on_demand        modules of IR, split into units that are compiled when called
unit_making      one unit of a module, in one native call or step by step
module_table     one module as its dylib sees it
object_linking   objects and link graphs, linked into memory (`linking`, `linking_passes`: one link)
object_unit      an object that waits to be wanted
plugin           who sees and changes links
archive          static libraries, whose members are linked when needed
platform         initializers, finalizers and exit handlers by dylib
call_through     stubs for lazy reexports
runtime_libraries  what a compiler's driver links in by itself
handle           functions as Python calls them
idle             what compile threads do while nobody waits: speculation, promotion
promotion        code that was made quickly is made well, while it runs
grace            memory is freed when nobody can be in it
statistics       what happened, in numbers
"""
