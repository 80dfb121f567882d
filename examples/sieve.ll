; ModuleID = 'sieve.c'
source_filename = "sieve.c"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"

@stderr = external local_unnamed_addr global ptr, align 8
@.str = private unnamed_addr constant [31 x i8] c"usage: %s [limit, at least 2]\0A\00", align 1
@.str.1 = private unnamed_addr constant [25 x i8] c"primes up to %llu: %llu\0A\00", align 1
@.str.2 = private unnamed_addr constant [18 x i8] c"twin pairs: %llu\0A\00", align 1
@.str.3 = private unnamed_addr constant [31 x i8] c"widest gap: %llu, behind %llu\0A\00", align 1
@.str.4 = private unnamed_addr constant [20 x i8] c"the last one: %llu\0A\00", align 1

; Function Attrs: nounwind uwtable
define dso_local range(i32 0, 3) i32 @main(i32 noundef %0, ptr noundef readonly captures(none) %1) local_unnamed_addr #0 {
  %3 = icmp sgt i32 %0, 1
  br i1 %3, label %4, label %8

4:                                                ; preds = %2
  %5 = getelementptr inbounds nuw i8, ptr %1, i64 8
  %6 = load ptr, ptr %5, align 8, !tbaa !8
  %7 = tail call i64 @strtoull(ptr noundef captures(none) %6, ptr noundef null, i32 noundef 10) #7
  br label %8

8:                                                ; preds = %2, %4
  %9 = phi i64 [ %7, %4 ], [ 10000000, %2 ]
  br label %10

10:                                               ; preds = %10, %8
  %11 = phi i64 [ 2147483648, %8 ], [ %17, %10 ]
  %12 = phi i64 [ 0, %8 ], [ %16, %10 ]
  %13 = add i64 %12, %11
  %14 = mul i64 %13, %13
  %15 = icmp ugt i64 %14, %9
  %16 = select i1 %15, i64 %12, i64 %13
  %17 = lshr i64 %11, 1
  %18 = icmp eq i64 %17, 0
  br i1 %18, label %19, label %10, !llvm.loop !11

19:                                               ; preds = %10
  %20 = shl i64 %16, 2
  %21 = and i64 %20, -8
  %22 = add i64 %21, 16
  %23 = tail call noalias ptr @malloc(i64 noundef %22) #8
  %24 = tail call noalias ptr @malloc(i64 noundef %22) #8
  %25 = tail call noalias dereferenceable_or_null(32768) ptr @malloc(i64 noundef 32768) #8
  %26 = icmp ugt i64 %9, 1
  %27 = icmp ne ptr %23, null
  %28 = and i1 %26, %27
  %29 = icmp ne ptr %24, null
  %30 = and i1 %28, %29
  %31 = icmp ne ptr %25, null
  %32 = and i1 %30, %31
  br i1 %32, label %37, label %33

33:                                               ; preds = %19
  %34 = load ptr, ptr @stderr, align 8, !tbaa !14
  %35 = load ptr, ptr %1, align 8, !tbaa !8
  %36 = tail call i32 (ptr, ptr, ...) @fprintf(ptr noundef %34, ptr noundef nonnull @.str, ptr noundef %35) #9
  br label %153

37:                                               ; preds = %19
  %38 = icmp ult i64 %16, 3
  br i1 %38, label %63, label %39

39:                                               ; preds = %37, %59
  %40 = phi i64 [ %61, %59 ], [ 3, %37 ]
  %41 = phi i64 [ %60, %59 ], [ 0, %37 ]
  %42 = icmp eq i64 %41, 0
  br i1 %42, label %56, label %43

43:                                               ; preds = %39, %50
  %44 = phi i64 [ %53, %50 ], [ 0, %39 ]
  %45 = getelementptr inbounds nuw i64, ptr %23, i64 %44
  %46 = load i64, ptr %45, align 8, !tbaa !16
  %47 = mul i64 %46, %46
  %48 = icmp ugt i64 %47, %40
  br i1 %48, label %56, label %50

49:                                               ; preds = %50
  br i1 %52, label %59, label %56

50:                                               ; preds = %43
  %51 = urem i64 %40, %46
  %52 = icmp eq i64 %51, 0
  %53 = add nuw i64 %44, 1
  %54 = icmp uge i64 %53, %41
  %55 = or i1 %54, %52
  br i1 %55, label %49, label %43, !llvm.loop !18

56:                                               ; preds = %43, %49, %39
  %57 = add i64 %41, 1
  %58 = getelementptr inbounds nuw i64, ptr %23, i64 %41
  store i64 %40, ptr %58, align 8, !tbaa !16
  br label %59

59:                                               ; preds = %56, %49
  %60 = phi i64 [ %57, %56 ], [ %41, %49 ]
  %61 = add i64 %40, 2
  %62 = icmp ugt i64 %61, %16
  br i1 %62, label %63, label %39, !llvm.loop !19

63:                                               ; preds = %59, %37
  %64 = phi i64 [ 0, %37 ], [ %60, %59 ]
  %65 = icmp eq i64 %64, 0
  br i1 %65, label %66, label %73

66:                                               ; preds = %73, %63
  %67 = add i64 %9, -1
  %68 = lshr i64 %67, 1
  %69 = icmp eq i64 %68, 0
  br i1 %69, label %85, label %70

70:                                               ; preds = %66
  %71 = add nuw i64 %68, 1
  %72 = icmp eq i64 %64, 0
  br label %95

73:                                               ; preds = %63, %73
  %74 = phi i64 [ %81, %73 ], [ 0, %63 ]
  %75 = getelementptr inbounds nuw i64, ptr %23, i64 %74
  %76 = load i64, ptr %75, align 8, !tbaa !16
  %77 = mul i64 %76, %76
  %78 = add i64 %77, -1
  %79 = lshr i64 %78, 1
  %80 = getelementptr inbounds nuw i64, ptr %24, i64 %74
  store i64 %79, ptr %80, align 8, !tbaa !16
  %81 = add nuw i64 %74, 1
  %82 = icmp eq i64 %81, %64
  br i1 %82, label %66, label %73, !llvm.loop !20

83:                                               ; preds = %145
  %84 = icmp ugt i64 %102, %68
  br i1 %84, label %85, label %95, !llvm.loop !21

85:                                               ; preds = %83, %66
  %86 = phi i64 [ 1, %66 ], [ %146, %83 ]
  %87 = phi i64 [ 0, %66 ], [ %147, %83 ]
  %88 = phi i64 [ 2, %66 ], [ %148, %83 ]
  %89 = phi i64 [ 0, %66 ], [ %149, %83 ]
  %90 = phi i64 [ 2, %66 ], [ %150, %83 ]
  %91 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.1, i64 noundef %9, i64 noundef %86)
  %92 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.2, i64 noundef %87)
  %93 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.3, i64 noundef %89, i64 noundef %90)
  %94 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.4, i64 noundef %88)
  tail call void @free(ptr noundef %25) #7
  tail call void @free(ptr noundef %24) #7
  tail call void @free(ptr noundef %23) #7
  br label %153

95:                                               ; preds = %70, %83
  %96 = phi i64 [ 1, %70 ], [ %102, %83 ]
  %97 = phi i64 [ 2, %70 ], [ %150, %83 ]
  %98 = phi i64 [ 0, %70 ], [ %149, %83 ]
  %99 = phi i64 [ 2, %70 ], [ %148, %83 ]
  %100 = phi i64 [ 0, %70 ], [ %147, %83 ]
  %101 = phi i64 [ 1, %70 ], [ %146, %83 ]
  %102 = add nuw i64 %96, 32768
  %103 = tail call i64 @llvm.umin.i64(i64 %102, i64 %71)
  tail call void @llvm.memset.p0.i64(ptr noundef nonnull align 1 dereferenceable(32768) %25, i8 0, i64 32768, i1 false)
  br i1 %72, label %122, label %104

104:                                              ; preds = %95, %118
  %105 = phi i64 [ %120, %118 ], [ 0, %95 ]
  %106 = getelementptr inbounds nuw i64, ptr %24, i64 %105
  %107 = load i64, ptr %106, align 8, !tbaa !16
  %108 = icmp ult i64 %107, %103
  br i1 %108, label %109, label %118

109:                                              ; preds = %104
  %110 = getelementptr inbounds nuw i64, ptr %23, i64 %105
  %111 = load i64, ptr %110, align 8, !tbaa !16
  br label %112

112:                                              ; preds = %109, %112
  %113 = phi i64 [ %107, %109 ], [ %116, %112 ]
  %114 = sub i64 %113, %96
  %115 = getelementptr inbounds nuw i8, ptr %25, i64 %114
  store i8 1, ptr %115, align 1, !tbaa !22
  %116 = add i64 %111, %113
  %117 = icmp ult i64 %116, %103
  br i1 %117, label %112, label %118, !llvm.loop !23

118:                                              ; preds = %112, %104
  %119 = phi i64 [ %107, %104 ], [ %116, %112 ]
  store i64 %119, ptr %106, align 8, !tbaa !16
  %120 = add nuw i64 %105, 1
  %121 = icmp eq i64 %120, %64
  br i1 %121, label %122, label %104, !llvm.loop !24

122:                                              ; preds = %118, %95
  br label %123

123:                                              ; preds = %122, %145
  %124 = phi i64 [ %151, %145 ], [ %96, %122 ]
  %125 = phi i64 [ %150, %145 ], [ %97, %122 ]
  %126 = phi i64 [ %149, %145 ], [ %98, %122 ]
  %127 = phi i64 [ %148, %145 ], [ %99, %122 ]
  %128 = phi i64 [ %147, %145 ], [ %100, %122 ]
  %129 = phi i64 [ %146, %145 ], [ %101, %122 ]
  %130 = sub nuw i64 %124, %96
  %131 = getelementptr inbounds nuw i8, ptr %25, i64 %130
  %132 = load i8, ptr %131, align 1, !tbaa !22
  %133 = icmp eq i8 %132, 0
  br i1 %133, label %134, label %145

134:                                              ; preds = %123
  %135 = shl i64 %124, 1
  %136 = or disjoint i64 %135, 1
  %137 = add i64 %129, 1
  %138 = sub i64 %136, %127
  %139 = icmp eq i64 %138, 2
  %140 = zext i1 %139 to i64
  %141 = add i64 %128, %140
  %142 = icmp ugt i64 %138, %126
  %143 = tail call i64 @llvm.umax.i64(i64 %138, i64 %126)
  %144 = select i1 %142, i64 %127, i64 %125
  br label %145

145:                                              ; preds = %123, %134
  %146 = phi i64 [ %129, %123 ], [ %137, %134 ]
  %147 = phi i64 [ %128, %123 ], [ %141, %134 ]
  %148 = phi i64 [ %127, %123 ], [ %136, %134 ]
  %149 = phi i64 [ %126, %123 ], [ %143, %134 ]
  %150 = phi i64 [ %125, %123 ], [ %144, %134 ]
  %151 = add nuw i64 %124, 1
  %152 = icmp ult i64 %151, %103
  br i1 %152, label %123, label %83, !llvm.loop !25

153:                                              ; preds = %85, %33
  %154 = phi i32 [ 0, %85 ], [ 2, %33 ]
  ret i32 %154
}

; Function Attrs: mustprogress nocallback nofree nounwind willreturn
declare i64 @strtoull(ptr noundef readonly, ptr noundef captures(none), i32 noundef) local_unnamed_addr #1

; Function Attrs: mustprogress nofree nounwind willreturn allockind("alloc,uninitialized") allocsize(0) memory(inaccessiblemem: readwrite)
declare noalias noundef ptr @malloc(i64 noundef) local_unnamed_addr #2

; Function Attrs: nofree nounwind
declare noundef i32 @fprintf(ptr noundef captures(none), ptr noundef readonly captures(none), ...) local_unnamed_addr #3

; Function Attrs: mustprogress nocallback nofree nounwind willreturn memory(argmem: write)
declare void @llvm.memset.p0.i64(ptr writeonly captures(none), i8, i64, i1 immarg) #4

; Function Attrs: nofree nounwind
declare noundef i32 @printf(ptr noundef readonly captures(none), ...) local_unnamed_addr #3

; Function Attrs: mustprogress nounwind willreturn allockind("free") memory(argmem: readwrite, inaccessiblemem: readwrite)
declare void @free(ptr allocptr noundef captures(none)) local_unnamed_addr #5

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.umin.i64(i64, i64) #6

; Function Attrs: nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare i64 @llvm.umax.i64(i64, i64) #6

attributes #0 = { nounwind uwtable "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #1 = { mustprogress nocallback nofree nounwind willreturn "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #2 = { mustprogress nofree nounwind willreturn allockind("alloc,uninitialized") allocsize(0) memory(inaccessiblemem: readwrite) "alloc-family"="malloc" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #3 = { nofree nounwind "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #4 = { mustprogress nocallback nofree nounwind willreturn memory(argmem: write) }
attributes #5 = { mustprogress nounwind willreturn allockind("free") memory(argmem: readwrite, inaccessiblemem: readwrite) "alloc-family"="malloc" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #6 = { nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #7 = { nounwind }
attributes #8 = { nounwind allocsize(0) }
attributes #9 = { cold nounwind }

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
!14 = !{!15, !15, i64 0}
!15 = !{!"p1 _ZTS8_IO_FILE", !10, i64 0}
!16 = !{!17, !17, i64 0}
!17 = !{!"long", !6, i64 0}
!18 = distinct !{!18, !12, !13}
!19 = distinct !{!19, !12, !13}
!20 = distinct !{!20, !12, !13}
!21 = distinct !{!21, !12, !13}
!22 = !{!6, !6, i64 0}
!23 = distinct !{!23, !12, !13}
!24 = distinct !{!24, !12, !13}
!25 = distinct !{!25, !12, !13}
