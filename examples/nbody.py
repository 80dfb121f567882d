"""N bodies that attract each other: the sun and its giants, for ten centuries.

A row of the array is a body: x, y, z, 0, then its velocity and its mass. The kernel takes positions
and velocities as vectors of four, so that a line of IR is three of arithmetic; `step` calls
`attract`, which LLVM inlines. Bodies are kicked, moved, and kicked again (the leapfrog rule), which
keeps their energy. Units: astronomical units, years, masses of the sun.
"""

import numpy as np

import lazyjit

G = 4 * np.pi**2
SOURCE = """
declare double @llvm.sqrt.f64(double)
declare double @llvm.vector.reduce.fadd.v4f64(double, <4 x double>)

define internal void @attract(ptr %bodies, i64 %n, double %strength) {
entry:
  br label %one
one:                                            ; each body ...
  %i = phi i64 [ 0, %entry ], [ %i1, %after ]
  %i1 = add i64 %i, 1
  %a = getelementptr [8 x double], ptr %bodies, i64 %i
  %av = getelementptr double, ptr %a, i64 4
  %am = getelementptr double, ptr %a, i64 7
  br label %test
test:                                           ; ... with each one after it
  %j = phi i64 [ %i1, %one ], [ %j1, %two ]
  %others = icmp ult i64 %j, %n
  br i1 %others, label %two, label %after
two:
  %j1 = add i64 %j, 1
  %b = getelementptr [8 x double], ptr %bodies, i64 %j
  %bv = getelementptr double, ptr %b, i64 4
  %bm = getelementptr double, ptr %b, i64 7
  %here = load <4 x double>, ptr %a, align 8
  %there = load <4 x double>, ptr %b, align 8
  %way = fsub <4 x double> %there, %here        ; its fourth element is 0, and masses stay
  %squares = fmul <4 x double> %way, %way
  %square = call double @llvm.vector.reduce.fadd.v4f64(double 0.0, <4 x double> %squares)
  %distance = call double @llvm.sqrt.f64(double %square)
  %cube = fmul double %square, %distance
  %pull = fdiv double %strength, %cube
  %mass.a = load double, ptr %am
  %mass.b = load double, ptr %bm
  %pull.a = fmul double %pull, %mass.b
  %pull.b = fmul double %pull, %mass.a
  call void @push(ptr %av, <4 x double> %way, double %pull.a)
  %pull.back = fneg double %pull.b
  call void @push(ptr %bv, <4 x double> %way, double %pull.back)
  br label %test
after:
  %more = icmp ult i64 %i1, %n
  br i1 %more, label %one, label %done
done:
  ret void
}
define internal void @push(ptr %what, <4 x double> %way, double %by) {
  %some = insertelement <4 x double> zeroinitializer, double %by, i32 0
  %all = shufflevector <4 x double> %some, <4 x double> poison,
                       <4 x i32> <i32 0, i32 0, i32 0, i32 1>
  %old = load <4 x double>, ptr %what, align 8
  %more = fmul <4 x double> %way, %all
  %new = fadd <4 x double> %old, %more
  store <4 x double> %new, ptr %what, align 8
  ret void
}
define void @run(ptr %bodies, i64 %n, double %half.kick, double %time, i64 %steps) {
entry:
  br label %step
step:
  %s = phi i64 [ 0, %entry ], [ %s1, %moved ]
  call void @attract(ptr %bodies, i64 %n, double %half.kick)
  br label %move
move:
  %i = phi i64 [ 0, %step ], [ %i1, %move ]
  %body = getelementptr [8 x double], ptr %bodies, i64 %i
  %speed = getelementptr double, ptr %body, i64 4
  %v = load <4 x double>, ptr %speed, align 8
  call void @push(ptr %body, <4 x double> %v, double %time)
  %i1 = add i64 %i, 1
  %another = icmp ult i64 %i1, %n
  br i1 %another, label %move, label %moved
moved:
  call void @attract(ptr %bodies, i64 %n, double %half.kick)
  %s1 = add i64 %s, 1
  %more = icmp ult i64 %s1, %steps
  br i1 %more, label %step, label %done
done:
  ret void
}
"""


def planet(mass, distance, phase):
    """On a circle around the sun, of mass 1."""
    speed, across = np.sqrt(G / distance), np.array([-np.sin(phase), np.cos(phase), 0])
    along = np.array([np.cos(phase), np.sin(phase), 0])
    return [*(distance * along), 0, *(speed * across), mass]


def energy(bodies):
    """Kinetic and potential, of all."""
    x, v, m = bodies[:, :3], bodies[:, 4:7], bodies[:, 7]
    i, j = np.triu_indices(len(bodies), 1)
    apart = np.linalg.norm(x[i] - x[j], axis=1)
    return (m * (v**2).sum(axis=1)).sum() / 2 - G * (m[i] * m[j] / apart).sum()


bodies = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0, 1.0],
        planet(9.548e-4, 5.203, 0.2),
        planet(2.859e-4, 9.537, 1.9),
        planet(4.366e-5, 19.19, 3.4),
        planet(5.151e-5, 30.07, 5.1),
    ]
)
bodies[0, 4:7] = -(bodies[1:, 7:] * bodies[1:, 4:7]).sum(axis=0)  # the whole stays where it is

with lazyjit.JIT() as jit:
    jit.add(SOURCE, name="nbody.ll")
    run = jit.callable("run", "void(double[:, 8] bodies, int64 n, double, double, int64 steps)")
    before, time = energy(bodies), 0.02
    run(bodies, len(bodies), G * time / 2, time, 50_000)
    change = abs(energy(bodies) / before - 1)
    print("energy changed by less than a hundred-thousandth:", change < 1e-5)
    print("momentum is still zero:", np.abs(bodies[:, 7] @ bodies[:, 4:7]).max() < 1e-15)
