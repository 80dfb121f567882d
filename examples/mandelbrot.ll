; ModuleID = 'mandelbrot.c'
source_filename = "mandelbrot.c"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"

%struct.fractal = type { ptr, double, double, double, double, ptr }

@.str = private unnamed_addr constant [11 x i8] c"mandelbrot\00", align 1
@fractals = internal constant [3 x %struct.fractal] [%struct.fractal { ptr @.str, double -2.200000e+00, double 8.000000e-01, double 1.200000e+00, double -1.200000e+00, ptr @mandelbrot }, %struct.fractal { ptr @.str.1, double -1.600000e+00, double 1.600000e+00, double 1.000000e+00, double -1.000000e+00, ptr @julia }, %struct.fractal { ptr @.str.2, double -2.200000e+00, double 1.200000e+00, double -1.800000e+00, double 0x3FE6666666666666, ptr @burning_ship }], align 16
@.str.1 = private unnamed_addr constant [6 x i8] c"julia\00", align 1
@.str.2 = private unnamed_addr constant [5 x i8] c"ship\00", align 1
@stderr = external local_unnamed_addr global ptr, align 8
@.str.3 = private unnamed_addr constant [52 x i8] c"usage: %s [mandelbrot|julia|ship] [columns] [rows]\0A\00", align 1
@draw.shades = internal unnamed_addr constant [11 x i8] c" .:-=+*#%@\00", align 1
@.str.4 = private unnamed_addr constant [31 x i8] c"%s: %d x %d points, %ld steps\0A\00", align 1
@stdout = external local_unnamed_addr global ptr, align 8

; Function Attrs: nounwind uwtable
define dso_local noundef i32 @main(i32 noundef %0, ptr noundef readonly captures(none) %1) local_unnamed_addr #0 {
  %3 = icmp sgt i32 %0, 1
  br i1 %3, label %4, label %7

4:                                                ; preds = %2
  %5 = getelementptr inbounds nuw i8, ptr %1, i64 8
  %6 = load ptr, ptr %5, align 8, !tbaa !8
  br label %7

7:                                                ; preds = %2, %4
  %8 = phi ptr [ %6, %4 ], [ @.str, %2 ]
  br label %12

9:                                                ; preds = %12
  %10 = add nuw nsw i64 %13, 1
  %11 = icmp eq i64 %10, 3
  br i1 %11, label %18, label %12, !llvm.loop !11

12:                                               ; preds = %9, %7
  %13 = phi i64 [ 0, %7 ], [ %10, %9 ]
  %14 = getelementptr inbounds nuw %struct.fractal, ptr @fractals, i64 %13
  %15 = load ptr, ptr %14, align 16, !tbaa !14
  %16 = tail call i32 @strcmp(ptr noundef nonnull dereferenceable(1) %15, ptr noundef nonnull readonly dereferenceable(1) %8) #7
  %17 = icmp eq i32 %16, 0
  br i1 %17, label %18, label %9

18:                                               ; preds = %9, %12
  %19 = phi ptr [ null, %9 ], [ %14, %12 ]
  %20 = icmp sgt i32 %0, 2
  br i1 %20, label %21, label %26

21:                                               ; preds = %18
  %22 = getelementptr inbounds nuw i8, ptr %1, i64 16
  %23 = load ptr, ptr %22, align 8, !tbaa !8
  %24 = tail call i64 @strtol(ptr noundef nonnull captures(none) %23, ptr noundef null, i32 noundef 10) #8
  %25 = trunc i64 %24 to i32
  br label %26

26:                                               ; preds = %18, %21
  %27 = phi i32 [ %25, %21 ], [ 76, %18 ]
  %28 = icmp sgt i32 %0, 3
  br i1 %28, label %29, label %34

29:                                               ; preds = %26
  %30 = getelementptr inbounds nuw i8, ptr %1, i64 24
  %31 = load ptr, ptr %30, align 8, !tbaa !8
  %32 = tail call i64 @strtol(ptr noundef nonnull captures(none) %31, ptr noundef null, i32 noundef 10) #8
  %33 = trunc i64 %32 to i32
  br label %34

34:                                               ; preds = %26, %29
  %35 = phi i32 [ %33, %29 ], [ 24, %26 ]
  %36 = icmp eq ptr %19, null
  %37 = icmp slt i32 %27, 1
  %38 = select i1 %36, i1 true, i1 %37
  %39 = icmp slt i32 %35, 1
  %40 = select i1 %38, i1 true, i1 %39
  br i1 %40, label %41, label %43

41:                                               ; preds = %34
  %42 = load ptr, ptr %1, align 8, !tbaa !8
  tail call fastcc void @usage(ptr noundef %42)
  unreachable

43:                                               ; preds = %34
  %44 = getelementptr inbounds nuw i8, ptr %19, i64 24
  %45 = getelementptr inbounds nuw i8, ptr %19, i64 32
  %46 = uitofp nneg i32 %35 to double
  %47 = getelementptr inbounds nuw i8, ptr %19, i64 8
  %48 = getelementptr inbounds nuw i8, ptr %19, i64 16
  %49 = uitofp nneg i32 %27 to double
  %50 = getelementptr inbounds nuw i8, ptr %19, i64 40
  br label %51

51:                                               ; preds = %62, %43
  %52 = phi i64 [ 0, %43 ], [ %92, %62 ]
  %53 = phi i32 [ 0, %43 ], [ %65, %62 ]
  %54 = load double, ptr %44, align 8, !tbaa !17
  %55 = load double, ptr %45, align 8, !tbaa !18
  %56 = fsub double %55, %54
  %57 = uitofp nneg i32 %53 to double
  %58 = fadd double %57, 5.000000e-01
  %59 = fmul double %58, %56
  %60 = fdiv double %59, %46
  %61 = fadd double %54, %60
  br label %67

62:                                               ; preds = %81
  %63 = load ptr, ptr @stdout, align 8, !tbaa !19
  %64 = tail call i32 @putc(i32 noundef 10, ptr noundef %63)
  %65 = add nuw nsw i32 %53, 1
  %66 = icmp eq i32 %65, %35
  br i1 %66, label %104, label %51, !llvm.loop !21

67:                                               ; preds = %51, %81
  %68 = phi i64 [ %92, %81 ], [ %52, %51 ]
  %69 = phi i32 [ %93, %81 ], [ 0, %51 ]
  %70 = load double, ptr %47, align 8, !tbaa !22
  %71 = load double, ptr %48, align 8, !tbaa !23
  %72 = fsub double %71, %70
  %73 = uitofp nneg i32 %69 to double
  %74 = fadd double %73, 5.000000e-01
  %75 = fmul double %74, %72
  %76 = fdiv double %75, %49
  %77 = fadd double %70, %76
  %78 = load ptr, ptr %50, align 8, !tbaa !24
  %79 = tail call i32 %78(double noundef %77, double noundef %61, i32 noundef 2000) #8
  %80 = icmp sgt i32 %79, 2
  br i1 %80, label %95, label %81

81:                                               ; preds = %95, %67
  %82 = phi i32 [ 0, %67 ], [ %98, %95 ]
  %83 = icmp eq i32 %79, 2000
  %84 = select i1 %83, i32 9, i32 %82
  %85 = zext nneg i32 %84 to i64
  %86 = getelementptr inbounds nuw i8, ptr @draw.shades, i64 %85
  %87 = load i8, ptr %86, align 1, !tbaa !25
  %88 = sext i8 %87 to i32
  %89 = load ptr, ptr @stdout, align 8, !tbaa !19
  %90 = tail call i32 @putc(i32 noundef %88, ptr noundef %89)
  %91 = sext i32 %79 to i64
  %92 = add nsw i64 %68, %91
  %93 = add nuw nsw i32 %69, 1
  %94 = icmp eq i32 %93, %27
  br i1 %94, label %62, label %67, !llvm.loop !26

95:                                               ; preds = %67, %95
  %96 = phi i32 [ %100, %95 ], [ 3, %67 ]
  %97 = phi i32 [ %98, %95 ], [ 0, %67 ]
  %98 = add nuw nsw i32 %97, 1
  %99 = sdiv i32 %96, 2
  %100 = add nsw i32 %99, %96
  %101 = icmp samesign ult i32 %97, 8
  %102 = icmp sge i32 %79, %100
  %103 = select i1 %101, i1 %102, i1 false
  br i1 %103, label %95, label %81, !llvm.loop !27

104:                                              ; preds = %62
  %105 = load ptr, ptr %19, align 8, !tbaa !14
  %106 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.4, ptr noundef %105, i32 noundef %27, i32 noundef %35, i64 noundef %92)
  ret i32 0
}

; Function Attrs: cold nofree noreturn nounwind uwtable
define internal fastcc void @usage(ptr noundef %0) unnamed_addr #1 {
  %2 = load ptr, ptr @stderr, align 8, !tbaa !19
  %3 = tail call i32 (ptr, ptr, ...) @fprintf(ptr noundef %2, ptr noundef nonnull @.str.3, ptr noundef %0) #9
  tail call void @exit(i32 noundef 2) #10
  unreachable
}

; Function Attrs: mustprogress nocallback nofree nounwind willreturn memory(argmem: read)
declare i32 @strcmp(ptr noundef captures(none), ptr noundef captures(none)) local_unnamed_addr #2

; Function Attrs: nofree norecurse nosync nounwind memory(none) uwtable
define internal i32 @mandelbrot(double noundef %0, double noundef %1, i32 noundef %2) #3 {
  %4 = icmp sgt i32 %2, 0
  br i1 %4, label %5, label %21

5:                                                ; preds = %3, %13
  %6 = phi double [ %15, %13 ], [ 0.000000e+00, %3 ]
  %7 = phi i32 [ %19, %13 ], [ 0, %3 ]
  %8 = phi double [ %18, %13 ], [ 0.000000e+00, %3 ]
  %9 = fmul double %6, %6
  %10 = fmul double %8, %8
  %11 = fadd double %10, %9
  %12 = fcmp ugt double %11, 4.000000e+00
  br i1 %12, label %21, label %13

13:                                               ; preds = %5
  %14 = fsub double %9, %10
  %15 = fadd double %0, %14
  %16 = fmul double %6, 2.000000e+00
  %17 = fmul double %8, %16
  %18 = fadd double %1, %17
  %19 = add nuw nsw i32 %7, 1
  %20 = icmp eq i32 %19, %2
  br i1 %20, label %21, label %5, !llvm.loop !28

21:                                               ; preds = %5, %13, %3
  %22 = phi i32 [ 0, %3 ], [ %7, %5 ], [ %2, %13 ]
  ret i32 %22
}

; Function Attrs: nofree norecurse nosync nounwind memory(none) uwtable
define internal i32 @julia(double noundef %0, double noundef %1, i32 noundef %2) #3 {
  %4 = icmp sgt i32 %2, 0
  br i1 %4, label %5, label %21

5:                                                ; preds = %3, %13
  %6 = phi double [ %15, %13 ], [ %0, %3 ]
  %7 = phi i32 [ %19, %13 ], [ 0, %3 ]
  %8 = phi double [ %18, %13 ], [ %1, %3 ]
  %9 = fmul double %6, %6
  %10 = fmul double %8, %8
  %11 = fadd double %10, %9
  %12 = fcmp ugt double %11, 4.000000e+00
  br i1 %12, label %21, label %13

13:                                               ; preds = %5
  %14 = fsub double %9, %10
  %15 = fadd double %14, -8.000000e-01
  %16 = fmul double %6, 2.000000e+00
  %17 = fmul double %8, %16
  %18 = fadd double %17, 1.560000e-01
  %19 = add nuw nsw i32 %7, 1
  %20 = icmp eq i32 %19, %2
  br i1 %20, label %21, label %5, !llvm.loop !29

21:                                               ; preds = %5, %13, %3
  %22 = phi i32 [ 0, %3 ], [ %7, %5 ], [ %2, %13 ]
  ret i32 %22
}

; Function Attrs: nofree norecurse nosync nounwind memory(none) uwtable
define internal i32 @burning_ship(double noundef %0, double noundef %1, i32 noundef %2) #3 {
  %4 = icmp sgt i32 %2, 0
  br i1 %4, label %5, label %27

5:                                                ; preds = %3, %13
  %6 = phi double [ %15, %13 ], [ 0.000000e+00, %3 ]
  %7 = phi i32 [ %25, %13 ], [ 0, %3 ]
  %8 = phi double [ %24, %13 ], [ 0.000000e+00, %3 ]
  %9 = fmul double %6, %6
  %10 = fmul double %8, %8
  %11 = fadd double %10, %9
  %12 = fcmp ugt double %11, 4.000000e+00
  br i1 %12, label %27, label %13

13:                                               ; preds = %5
  %14 = fsub double %9, %10
  %15 = fadd double %0, %14
  %16 = fcmp olt double %6, 0.000000e+00
  %17 = fneg double %6
  %18 = select i1 %16, double %17, double %6
  %19 = fmul double %18, 2.000000e+00
  %20 = fcmp olt double %8, 0.000000e+00
  %21 = fneg double %8
  %22 = select i1 %20, double %21, double %8
  %23 = fmul double %22, %19
  %24 = fadd double %1, %23
  %25 = add nuw nsw i32 %7, 1
  %26 = icmp eq i32 %25, %2
  br i1 %26, label %27, label %5, !llvm.loop !30

27:                                               ; preds = %5, %13, %3
  %28 = phi i32 [ 0, %3 ], [ %7, %5 ], [ %2, %13 ]
  ret i32 %28
}

; Function Attrs: mustprogress nocallback nofree nounwind willreturn
declare i64 @strtol(ptr noundef readonly, ptr noundef captures(none), i32 noundef) local_unnamed_addr #4

; Function Attrs: nofree nounwind
declare noundef i32 @fprintf(ptr noundef captures(none), ptr noundef readonly captures(none), ...) local_unnamed_addr #5

; Function Attrs: nofree noreturn nounwind
declare void @exit(i32 noundef) local_unnamed_addr #6

; Function Attrs: nofree nounwind
declare noundef i32 @printf(ptr noundef readonly captures(none), ...) local_unnamed_addr #5

; Function Attrs: nofree nounwind
declare noundef i32 @putc(i32 noundef, ptr noundef captures(none)) local_unnamed_addr #5

attributes #0 = { nounwind uwtable "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #1 = { cold nofree noreturn nounwind uwtable "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #2 = { mustprogress nocallback nofree nounwind willreturn memory(argmem: read) "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #3 = { nofree norecurse nosync nounwind memory(none) uwtable "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #4 = { mustprogress nocallback nofree nounwind willreturn "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #5 = { nofree nounwind "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #6 = { nofree noreturn nounwind "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #7 = { nounwind willreturn memory(read) }
attributes #8 = { nounwind }
attributes #9 = { cold nounwind }
attributes #10 = { cold noreturn nounwind }

!llvm.module.flags = !{!0, !1, !2, !3}
!llvm.errno.tbaa = !{!4}

!0 = !{i32 1, !"wchar_size", i32 4}
!1 = !{i32 8, !"PIC Level", i32 2}
!2 = !{i32 7, !"PIE Level", i32 2}
!3 = !{i32 7, !"uwtable", i32 2}
!4 = !{!5, !5, i64 0}
!5 = !{!"int", !6, i64 0}
!6 = !{!"omnipotent char", !7, i64 0}
!7 = !{!"Simple C/C++ TBAA"}
!8 = !{!9, !9, i64 0}
!9 = !{!"p1 omnipotent char", !10, i64 0}
!10 = !{!"any pointer", !6, i64 0}
!11 = distinct !{!11, !12, !13}
!12 = !{!"llvm.loop.mustprogress"}
!13 = !{!"llvm.loop.unroll.disable"}
!14 = !{!15, !9, i64 0}
!15 = !{!"", !9, i64 0, !16, i64 8, !16, i64 16, !16, i64 24, !16, i64 32, !10, i64 40}
!16 = !{!"double", !6, i64 0}
!17 = !{!15, !16, i64 24}
!18 = !{!15, !16, i64 32}
!19 = !{!20, !20, i64 0}
!20 = !{!"p1 _ZTS8_IO_FILE", !10, i64 0}
!21 = distinct !{!21, !12, !13}
!22 = !{!15, !16, i64 8}
!23 = !{!15, !16, i64 16}
!24 = !{!15, !10, i64 40}
!25 = !{!6, !6, i64 0}
!26 = distinct !{!26, !12, !13}
!27 = distinct !{!27, !12, !13}
!28 = distinct !{!28, !12, !13}
!29 = distinct !{!29, !12, !13}
!30 = distinct !{!30, !12, !13}
