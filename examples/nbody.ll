; ModuleID = 'nbody.c'
source_filename = "nbody.c"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"

%struct.anon = type { ptr, double, double, double, double }
%struct.body = type { ptr, double, [3 x double], [3 x double], [3 x double] }

@planets = internal unnamed_addr constant [4 x %struct.anon] [%struct.anon { ptr @.str.3, double 5.203000e+00, double 9.548000e-04, double 2.000000e-01, double 2.300000e-02 }, %struct.anon { ptr @.str.4, double 9.537000e+00, double 2.859000e-04, double 1.900000e+00, double 4.300000e-02 }, %struct.anon { ptr @.str.5, double 1.919000e+01, double 4.366000e-05, double 3.400000e+00, double 1.300000e-02 }, %struct.anon { ptr @.str.6, double 3.007000e+01, double 5.151000e-05, double 5.100000e+00, double 3.100000e-02 }], align 16
@.str = private unnamed_addr constant [4 x i8] c"sun\00", align 1
@.str.3 = private unnamed_addr constant [8 x i8] c"jupiter\00", align 1
@.str.4 = private unnamed_addr constant [7 x i8] c"saturn\00", align 1
@.str.5 = private unnamed_addr constant [7 x i8] c"uranus\00", align 1
@.str.6 = private unnamed_addr constant [8 x i8] c"neptune\00", align 1
@.str.7 = private unnamed_addr constant [13 x i8] c"%6.0f years \00", align 1
@.str.8 = private unnamed_addr constant [19 x i8] c"  %s (%6.2f %6.2f)\00", align 1
@.str.9 = private unnamed_addr constant [16 x i8] c"  energy %+.1e\0A\00", align 1

; Function Attrs: nofree nounwind uwtable
define dso_local range(i32 0, 2) i32 @main(i32 noundef %0, ptr noundef readonly captures(none) %1) local_unnamed_addr #0 {
  %3 = alloca [3 x double], align 16
  %4 = alloca [3 x double], align 16
  %5 = alloca [3 x double], align 16
  %6 = alloca %struct.body, align 8
  %7 = alloca [5 x %struct.body], align 16
  %8 = icmp sgt i32 %0, 1
  br i1 %8, label %9, label %15

9:                                                ; preds = %2
  %10 = getelementptr inbounds nuw i8, ptr %1, i64 8
  %11 = load ptr, ptr %10, align 8, !tbaa !8
  %12 = tail call double @strtod(ptr noundef nonnull captures(none) %11, ptr noundef null) #7
  %13 = fmul double %12, 3.650000e+02
  %14 = fptosi double %13 to i64
  br label %15

15:                                               ; preds = %2, %9
  %16 = phi i64 [ %14, %9 ], [ 36500, %2 ]
  call void @llvm.lifetime.start.p0(ptr nonnull %7) #7
  call void @llvm.lifetime.start.p0(ptr nonnull %5) #7
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(24) %5, i8 0, i64 24, i1 false)
  %17 = getelementptr inbounds nuw i8, ptr %6, i64 8
  %18 = getelementptr inbounds nuw i8, ptr %6, i64 16
  %19 = getelementptr inbounds nuw i8, ptr %6, i64 24
  %20 = getelementptr inbounds nuw i8, ptr %6, i64 32
  %21 = getelementptr inbounds nuw i8, ptr %6, i64 40
  %22 = getelementptr inbounds nuw i8, ptr %6, i64 48
  %23 = getelementptr inbounds nuw i8, ptr %6, i64 56
  %24 = getelementptr inbounds nuw i8, ptr %6, i64 64
  br label %25

25:                                               ; preds = %54, %15
  %26 = phi i64 [ 1, %15 ], [ %55, %54 ]
  %27 = getelementptr %struct.anon, ptr @planets, i64 %26
  %28 = getelementptr i8, ptr %27, i64 -40
  %29 = getelementptr i8, ptr %27, i64 -32
  %30 = load double, ptr %29, align 8, !tbaa !11
  %31 = getelementptr i8, ptr %27, i64 -16
  %32 = load double, ptr %31, align 8, !tbaa !14
  %33 = getelementptr i8, ptr %27, i64 -8
  %34 = load double, ptr %33, align 8, !tbaa !15
  %35 = fdiv double 0x4043BD3CC9BE45DE, %30
  %36 = tail call double @llvm.sqrt.f64(double %35)
  call void @llvm.lifetime.start.p0(ptr nonnull %6) #7
  %37 = load ptr, ptr %28, align 8, !tbaa !16
  store ptr %37, ptr %6, align 8, !tbaa !17
  %38 = getelementptr i8, ptr %27, i64 -24
  %39 = load double, ptr %38, align 8, !tbaa !19
  store double %39, ptr %17, align 8, !tbaa !20
  %40 = tail call double @llvm.cos.f64(double %32)
  %41 = fmul double %30, %40
  store double %41, ptr %18, align 8, !tbaa !21
  %42 = tail call double @llvm.sin.f64(double %32)
  %43 = fmul double %30, %42
  %44 = tail call double @llvm.cos.f64(double %34)
  %45 = fmul double %43, %44
  store double %45, ptr %19, align 8, !tbaa !21
  %46 = tail call double @llvm.sin.f64(double %34)
  %47 = fmul double %43, %46
  store double %47, ptr %20, align 8, !tbaa !21
  %48 = fneg double %36
  %49 = fmul double %42, %48
  store double %49, ptr %21, align 8, !tbaa !21
  %50 = fmul double %36, %40
  %51 = fmul double %50, %44
  store double %51, ptr %22, align 8, !tbaa !21
  %52 = fmul double %50, %46
  store double %52, ptr %23, align 8, !tbaa !21
  %53 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %26
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %24, i8 0, i64 24, i1 false)
  call void @llvm.memcpy.p0.p0.i64(ptr noundef nonnull align 8 dereferenceable(88) %53, ptr noundef nonnull align 8 dereferenceable(88) %6, i64 88, i1 false), !tbaa.struct !22
  br label %57

54:                                               ; preds = %57
  call void @llvm.lifetime.end.p0(ptr nonnull %6) #7
  %55 = add nuw nsw i64 %26, 1
  %56 = icmp eq i64 %55, 5
  br i1 %56, label %66, label %25, !llvm.loop !24

57:                                               ; preds = %57, %25
  %58 = phi i64 [ 0, %25 ], [ %64, %57 ]
  %59 = getelementptr inbounds nuw double, ptr %21, i64 %58
  %60 = load double, ptr %59, align 8, !tbaa !21
  %61 = getelementptr inbounds nuw double, ptr %5, i64 %58
  %62 = load double, ptr %61, align 8, !tbaa !21
  %63 = tail call double @llvm.fmuladd.f64(double %39, double %60, double %62)
  store double %63, ptr %61, align 8, !tbaa !21
  %64 = add nuw nsw i64 %58, 1
  %65 = icmp eq i64 %64, 3
  br i1 %65, label %54, label %57, !llvm.loop !27

66:                                               ; preds = %54
  %67 = load double, ptr %5, align 16, !tbaa !21
  %68 = fneg double %67
  %69 = getelementptr inbounds nuw i8, ptr %5, i64 8
  %70 = load double, ptr %69, align 8, !tbaa !21
  %71 = fneg double %70
  %72 = getelementptr inbounds nuw i8, ptr %5, i64 16
  %73 = load double, ptr %72, align 16, !tbaa !21
  %74 = fneg double %73
  store ptr @.str, ptr %7, align 16, !tbaa !8
  %75 = getelementptr inbounds nuw i8, ptr %7, i64 8
  store double 1.000000e+00, ptr %75, align 8, !tbaa !21
  %76 = getelementptr inbounds nuw i8, ptr %7, i64 16
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(24) %76, i8 0, i64 24, i1 false)
  %77 = getelementptr inbounds nuw i8, ptr %7, i64 40
  store double %68, ptr %77, align 8
  %78 = getelementptr inbounds nuw i8, ptr %7, i64 48
  store double %71, ptr %78, align 16
  %79 = getelementptr inbounds nuw i8, ptr %7, i64 56
  store double %74, ptr %79, align 8, !tbaa !23
  %80 = getelementptr inbounds nuw i8, ptr %7, i64 64
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(24) %80, i8 0, i64 24, i1 false)
  call void @llvm.lifetime.end.p0(ptr nonnull %5) #7
  br label %85

81:                                               ; preds = %115, %91
  %82 = phi double [ %96, %91 ], [ %121, %115 ]
  %83 = add nuw nsw i64 %87, 1
  %84 = icmp eq i64 %97, 5
  br i1 %84, label %135, label %85, !llvm.loop !28

85:                                               ; preds = %81, %66
  %86 = phi i64 [ 0, %66 ], [ %97, %81 ]
  %87 = phi i64 [ 1, %66 ], [ %83, %81 ]
  %88 = phi double [ 0.000000e+00, %66 ], [ %82, %81 ]
  %89 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %86
  %90 = getelementptr inbounds nuw i8, ptr %89, i64 40
  br label %102

91:                                               ; preds = %102
  %92 = getelementptr inbounds nuw i8, ptr %89, i64 8
  %93 = load double, ptr %92, align 8, !tbaa !20
  %94 = fmul double %107, %93
  %95 = fmul double %94, 5.000000e-01
  %96 = fadd double %88, %95
  %97 = add nuw nsw i64 %86, 1
  %98 = icmp samesign ult i64 %86, 4
  br i1 %98, label %99, label %81

99:                                               ; preds = %91
  %100 = getelementptr inbounds nuw i8, ptr %89, i64 16
  %101 = fmul double %93, 0x4043BD3CC9BE45DE
  br label %110

102:                                              ; preds = %102, %85
  %103 = phi i64 [ 0, %85 ], [ %108, %102 ]
  %104 = phi double [ 0.000000e+00, %85 ], [ %107, %102 ]
  %105 = getelementptr inbounds nuw double, ptr %90, i64 %103
  %106 = load double, ptr %105, align 8, !tbaa !21
  %107 = tail call double @llvm.fmuladd.f64(double %106, double %106, double %104)
  %108 = add nuw nsw i64 %103, 1
  %109 = icmp eq i64 %108, 3
  br i1 %109, label %91, label %102, !llvm.loop !29

110:                                              ; preds = %115, %99
  %111 = phi i64 [ %87, %99 ], [ %122, %115 ]
  %112 = phi double [ %96, %99 ], [ %121, %115 ]
  %113 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %111
  %114 = getelementptr inbounds nuw i8, ptr %113, i64 16
  br label %124

115:                                              ; preds = %124
  %116 = getelementptr inbounds nuw i8, ptr %113, i64 8
  %117 = load double, ptr %116, align 8, !tbaa !20
  %118 = fmul double %101, %117
  %119 = tail call double @llvm.sqrt.f64(double %132)
  %120 = fdiv double %118, %119
  %121 = fsub double %112, %120
  %122 = add nuw nsw i64 %111, 1
  %123 = icmp eq i64 %122, 5
  br i1 %123, label %81, label %110, !llvm.loop !30

124:                                              ; preds = %124, %110
  %125 = phi i64 [ 0, %110 ], [ %133, %124 ]
  %126 = phi double [ 0.000000e+00, %110 ], [ %132, %124 ]
  %127 = getelementptr inbounds nuw double, ptr %114, i64 %125
  %128 = load double, ptr %127, align 8, !tbaa !21
  %129 = getelementptr inbounds nuw double, ptr %100, i64 %125
  %130 = load double, ptr %129, align 8, !tbaa !21
  %131 = fsub double %128, %130
  %132 = tail call double @llvm.fmuladd.f64(double %131, double %131, double %126)
  %133 = add nuw nsw i64 %125, 1
  %134 = icmp eq i64 %133, 3
  br i1 %134, label %115, label %124, !llvm.loop !31

135:                                              ; preds = %81, %135
  %136 = phi i64 [ %140, %135 ], [ 0, %81 ]
  %137 = mul nuw nsw i64 %136, 88
  %138 = getelementptr nuw i8, ptr %7, i64 %137
  %139 = getelementptr nuw i8, ptr %138, i64 64
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %139, i8 0, i64 24, i1 false), !tbaa !21
  %140 = add nuw nsw i64 %136, 1
  %141 = icmp eq i64 %140, 5
  br i1 %141, label %152, label %135, !llvm.loop !32

142:                                              ; preds = %184, %152
  %143 = add nuw nsw i64 %154, 1
  %144 = icmp eq i64 %155, 5
  br i1 %144, label %145, label %152, !llvm.loop !33

145:                                              ; preds = %142
  %146 = icmp slt i64 %16, 0
  br i1 %146, label %147, label %148

147:                                              ; preds = %455, %145
  br label %208

148:                                              ; preds = %145
  %149 = icmp sgt i64 %16, 9
  %150 = udiv i64 %16, 10
  %151 = select i1 %149, i64 %150, i64 1
  br label %264

152:                                              ; preds = %135, %142
  %153 = phi i64 [ %155, %142 ], [ 0, %135 ]
  %154 = phi i64 [ %143, %142 ], [ 1, %135 ]
  %155 = add nuw nsw i64 %153, 1
  %156 = icmp samesign ult i64 %153, 4
  br i1 %156, label %157, label %142

157:                                              ; preds = %152
  %158 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %153
  %159 = getelementptr inbounds nuw i8, ptr %158, i64 16
  %160 = getelementptr inbounds nuw i8, ptr %158, i64 64
  %161 = getelementptr inbounds nuw i8, ptr %158, i64 8
  br label %162

162:                                              ; preds = %184, %157
  %163 = phi i64 [ %154, %157 ], [ %185, %184 ]
  call void @llvm.lifetime.start.p0(ptr nonnull %4) #7
  %164 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %163
  %165 = getelementptr inbounds nuw i8, ptr %164, i64 16
  br label %172

166:                                              ; preds = %172
  %167 = tail call double @llvm.sqrt.f64(double %181)
  %168 = fmul double %181, %167
  %169 = fdiv double 0x4043BD3CC9BE45DE, %168
  %170 = getelementptr inbounds nuw i8, ptr %164, i64 8
  %171 = getelementptr inbounds nuw i8, ptr %164, i64 64
  br label %187

172:                                              ; preds = %172, %162
  %173 = phi i64 [ 0, %162 ], [ %182, %172 ]
  %174 = phi double [ 0.000000e+00, %162 ], [ %181, %172 ]
  %175 = getelementptr inbounds nuw double, ptr %165, i64 %173
  %176 = load double, ptr %175, align 8, !tbaa !21
  %177 = getelementptr inbounds nuw double, ptr %159, i64 %173
  %178 = load double, ptr %177, align 8, !tbaa !21
  %179 = fsub double %176, %178
  %180 = getelementptr inbounds nuw double, ptr %4, i64 %173
  store double %179, ptr %180, align 8, !tbaa !21
  %181 = tail call double @llvm.fmuladd.f64(double %179, double %179, double %174)
  %182 = add nuw nsw i64 %173, 1
  %183 = icmp eq i64 %182, 3
  br i1 %183, label %166, label %172, !llvm.loop !34

184:                                              ; preds = %187
  call void @llvm.lifetime.end.p0(ptr nonnull %4) #7
  %185 = add nuw nsw i64 %163, 1
  %186 = icmp eq i64 %185, 5
  br i1 %186, label %142, label %162, !llvm.loop !35

187:                                              ; preds = %187, %166
  %188 = phi i64 [ 0, %166 ], [ %202, %187 ]
  %189 = load double, ptr %170, align 8, !tbaa !20
  %190 = fmul double %169, %189
  %191 = getelementptr inbounds nuw double, ptr %4, i64 %188
  %192 = load double, ptr %191, align 8, !tbaa !21
  %193 = getelementptr inbounds nuw double, ptr %160, i64 %188
  %194 = load double, ptr %193, align 8, !tbaa !21
  %195 = tail call double @llvm.fmuladd.f64(double %190, double %192, double %194)
  store double %195, ptr %193, align 8, !tbaa !21
  %196 = load double, ptr %161, align 8, !tbaa !20
  %197 = getelementptr inbounds nuw double, ptr %171, i64 %188
  %198 = load double, ptr %197, align 8, !tbaa !21
  %199 = fneg double %196
  %200 = fmul double %169, %199
  %201 = tail call double @llvm.fmuladd.f64(double %200, double %192, double %198)
  store double %201, ptr %197, align 8, !tbaa !21
  %202 = add nuw nsw i64 %188, 1
  %203 = icmp eq i64 %202, 3
  br i1 %203, label %184, label %187, !llvm.loop !36

204:                                              ; preds = %238, %214
  %205 = phi double [ %219, %214 ], [ %244, %238 ]
  %206 = add nuw nsw i64 %210, 1
  %207 = icmp eq i64 %220, 5
  br i1 %207, label %258, label %208, !llvm.loop !28

208:                                              ; preds = %147, %204
  %209 = phi i64 [ %220, %204 ], [ 0, %147 ]
  %210 = phi i64 [ %206, %204 ], [ 1, %147 ]
  %211 = phi double [ %205, %204 ], [ 0.000000e+00, %147 ]
  %212 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %209
  %213 = getelementptr inbounds nuw i8, ptr %212, i64 40
  br label %225

214:                                              ; preds = %225
  %215 = getelementptr inbounds nuw i8, ptr %212, i64 8
  %216 = load double, ptr %215, align 8, !tbaa !20
  %217 = fmul double %230, %216
  %218 = fmul double %217, 5.000000e-01
  %219 = fadd double %211, %218
  %220 = add nuw nsw i64 %209, 1
  %221 = icmp samesign ult i64 %209, 4
  br i1 %221, label %222, label %204

222:                                              ; preds = %214
  %223 = getelementptr inbounds nuw i8, ptr %212, i64 16
  %224 = fmul double %216, 0x4043BD3CC9BE45DE
  br label %233

225:                                              ; preds = %225, %208
  %226 = phi i64 [ 0, %208 ], [ %231, %225 ]
  %227 = phi double [ 0.000000e+00, %208 ], [ %230, %225 ]
  %228 = getelementptr inbounds nuw double, ptr %213, i64 %226
  %229 = load double, ptr %228, align 8, !tbaa !21
  %230 = tail call double @llvm.fmuladd.f64(double %229, double %229, double %227)
  %231 = add nuw nsw i64 %226, 1
  %232 = icmp eq i64 %231, 3
  br i1 %232, label %214, label %225, !llvm.loop !29

233:                                              ; preds = %238, %222
  %234 = phi i64 [ %210, %222 ], [ %245, %238 ]
  %235 = phi double [ %219, %222 ], [ %244, %238 ]
  %236 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %234
  %237 = getelementptr inbounds nuw i8, ptr %236, i64 16
  br label %247

238:                                              ; preds = %247
  %239 = getelementptr inbounds nuw i8, ptr %236, i64 8
  %240 = load double, ptr %239, align 8, !tbaa !20
  %241 = fmul double %224, %240
  %242 = tail call double @llvm.sqrt.f64(double %255)
  %243 = fdiv double %241, %242
  %244 = fsub double %235, %243
  %245 = add nuw nsw i64 %234, 1
  %246 = icmp eq i64 %245, 5
  br i1 %246, label %204, label %233, !llvm.loop !30

247:                                              ; preds = %247, %233
  %248 = phi i64 [ 0, %233 ], [ %256, %247 ]
  %249 = phi double [ 0.000000e+00, %233 ], [ %255, %247 ]
  %250 = getelementptr inbounds nuw double, ptr %237, i64 %248
  %251 = load double, ptr %250, align 8, !tbaa !21
  %252 = getelementptr inbounds nuw double, ptr %223, i64 %248
  %253 = load double, ptr %252, align 8, !tbaa !21
  %254 = fsub double %251, %253
  %255 = tail call double @llvm.fmuladd.f64(double %254, double %254, double %249)
  %256 = add nuw nsw i64 %248, 1
  %257 = icmp eq i64 %256, 3
  br i1 %257, label %238, label %247, !llvm.loop !31

258:                                              ; preds = %204
  %259 = fdiv double %205, %82
  %260 = fadd double %259, -1.000000e+00
  %261 = tail call double @llvm.fabs.f64(double %260)
  %262 = fcmp uge double %261, 0x3EB0C6F7A0B5ED8D
  %263 = zext i1 %262 to i32
  call void @llvm.lifetime.end.p0(ptr nonnull %7) #7
  ret i32 %263

264:                                              ; preds = %148, %455
  %265 = phi i64 [ 0, %148 ], [ %456, %455 ]
  %266 = urem i64 %265, %151
  %267 = icmp eq i64 %266, 0
  br i1 %267, label %268, label %341

268:                                              ; preds = %264
  %269 = uitofp nneg i64 %265 to double
  %270 = fdiv double %269, 3.650000e+02
  %271 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.7, double noundef %270)
  br label %326

272:                                              ; preds = %306, %282
  %273 = phi double [ %287, %282 ], [ %312, %306 ]
  %274 = add nuw nsw i64 %278, 1
  %275 = icmp eq i64 %288, 5
  br i1 %275, label %337, label %276, !llvm.loop !28

276:                                              ; preds = %326, %272
  %277 = phi i64 [ %288, %272 ], [ 0, %326 ]
  %278 = phi i64 [ %274, %272 ], [ 1, %326 ]
  %279 = phi double [ %273, %272 ], [ 0.000000e+00, %326 ]
  %280 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %277
  %281 = getelementptr inbounds nuw i8, ptr %280, i64 40
  br label %293

282:                                              ; preds = %293
  %283 = getelementptr inbounds nuw i8, ptr %280, i64 8
  %284 = load double, ptr %283, align 8, !tbaa !20
  %285 = fmul double %298, %284
  %286 = fmul double %285, 5.000000e-01
  %287 = fadd double %279, %286
  %288 = add nuw nsw i64 %277, 1
  %289 = icmp samesign ult i64 %277, 4
  br i1 %289, label %290, label %272

290:                                              ; preds = %282
  %291 = getelementptr inbounds nuw i8, ptr %280, i64 16
  %292 = fmul double %284, 0x4043BD3CC9BE45DE
  br label %301

293:                                              ; preds = %293, %276
  %294 = phi i64 [ 0, %276 ], [ %299, %293 ]
  %295 = phi double [ 0.000000e+00, %276 ], [ %298, %293 ]
  %296 = getelementptr inbounds nuw double, ptr %281, i64 %294
  %297 = load double, ptr %296, align 8, !tbaa !21
  %298 = tail call double @llvm.fmuladd.f64(double %297, double %297, double %295)
  %299 = add nuw nsw i64 %294, 1
  %300 = icmp eq i64 %299, 3
  br i1 %300, label %282, label %293, !llvm.loop !29

301:                                              ; preds = %306, %290
  %302 = phi i64 [ %278, %290 ], [ %313, %306 ]
  %303 = phi double [ %287, %290 ], [ %312, %306 ]
  %304 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %302
  %305 = getelementptr inbounds nuw i8, ptr %304, i64 16
  br label %315

306:                                              ; preds = %315
  %307 = getelementptr inbounds nuw i8, ptr %304, i64 8
  %308 = load double, ptr %307, align 8, !tbaa !20
  %309 = fmul double %292, %308
  %310 = tail call double @llvm.sqrt.f64(double %323)
  %311 = fdiv double %309, %310
  %312 = fsub double %303, %311
  %313 = add nuw nsw i64 %302, 1
  %314 = icmp eq i64 %313, 5
  br i1 %314, label %272, label %301, !llvm.loop !30

315:                                              ; preds = %315, %301
  %316 = phi i64 [ 0, %301 ], [ %324, %315 ]
  %317 = phi double [ 0.000000e+00, %301 ], [ %323, %315 ]
  %318 = getelementptr inbounds nuw double, ptr %305, i64 %316
  %319 = load double, ptr %318, align 8, !tbaa !21
  %320 = getelementptr inbounds nuw double, ptr %291, i64 %316
  %321 = load double, ptr %320, align 8, !tbaa !21
  %322 = fsub double %319, %321
  %323 = tail call double @llvm.fmuladd.f64(double %322, double %322, double %317)
  %324 = add nuw nsw i64 %316, 1
  %325 = icmp eq i64 %324, 3
  br i1 %325, label %306, label %315, !llvm.loop !31

326:                                              ; preds = %326, %268
  %327 = phi i64 [ 1, %268 ], [ %335, %326 ]
  %328 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %327
  %329 = load ptr, ptr %328, align 8, !tbaa !17
  %330 = getelementptr inbounds nuw i8, ptr %328, i64 16
  %331 = load double, ptr %330, align 8, !tbaa !21
  %332 = getelementptr inbounds nuw i8, ptr %328, i64 24
  %333 = load double, ptr %332, align 8, !tbaa !21
  %334 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.8, ptr noundef %329, double noundef %331, double noundef %333)
  %335 = add nuw nsw i64 %327, 1
  %336 = icmp eq i64 %335, 5
  br i1 %336, label %276, label %326, !llvm.loop !37

337:                                              ; preds = %272
  %338 = fdiv double %273, %82
  %339 = fadd double %338, -1.000000e+00
  %340 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.9, double noundef %339)
  br label %341

341:                                              ; preds = %337, %264
  br label %342

342:                                              ; preds = %341, %347
  %343 = phi i64 [ %348, %347 ], [ 0, %341 ]
  %344 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %343
  %345 = getelementptr inbounds nuw i8, ptr %344, i64 64
  %346 = getelementptr inbounds nuw i8, ptr %344, i64 40
  br label %350

347:                                              ; preds = %350
  %348 = add nuw nsw i64 %343, 1
  %349 = icmp eq i64 %348, 5
  br i1 %349, label %359, label %342, !llvm.loop !38

350:                                              ; preds = %350, %342
  %351 = phi i64 [ 0, %342 ], [ %357, %350 ]
  %352 = getelementptr inbounds nuw double, ptr %345, i64 %351
  %353 = load double, ptr %352, align 8, !tbaa !21
  %354 = getelementptr inbounds nuw double, ptr %346, i64 %351
  %355 = load double, ptr %354, align 8, !tbaa !21
  %356 = tail call double @llvm.fmuladd.f64(double %353, double 0x3F56719F3601671A, double %355)
  store double %356, ptr %354, align 8, !tbaa !21
  %357 = add nuw nsw i64 %351, 1
  %358 = icmp eq i64 %357, 3
  br i1 %358, label %347, label %350, !llvm.loop !39

359:                                              ; preds = %347, %364
  %360 = phi i64 [ %365, %364 ], [ 0, %347 ]
  %361 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %360
  %362 = getelementptr inbounds nuw i8, ptr %361, i64 40
  %363 = getelementptr inbounds nuw i8, ptr %361, i64 16
  br label %367

364:                                              ; preds = %367
  %365 = add nuw nsw i64 %360, 1
  %366 = icmp eq i64 %365, 5
  br i1 %366, label %376, label %359, !llvm.loop !40

367:                                              ; preds = %367, %359
  %368 = phi i64 [ 0, %359 ], [ %374, %367 ]
  %369 = getelementptr inbounds nuw double, ptr %362, i64 %368
  %370 = load double, ptr %369, align 8, !tbaa !21
  %371 = getelementptr inbounds nuw double, ptr %363, i64 %368
  %372 = load double, ptr %371, align 8, !tbaa !21
  %373 = tail call double @llvm.fmuladd.f64(double %370, double 0x3F66719F3601671A, double %372)
  store double %373, ptr %371, align 8, !tbaa !21
  %374 = add nuw nsw i64 %368, 1
  %375 = icmp eq i64 %374, 3
  br i1 %375, label %364, label %367, !llvm.loop !41

376:                                              ; preds = %364, %376
  %377 = phi i64 [ %381, %376 ], [ 0, %364 ]
  %378 = mul nuw nsw i64 %377, 88
  %379 = getelementptr nuw i8, ptr %7, i64 %378
  %380 = getelementptr nuw i8, ptr %379, i64 64
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %380, i8 0, i64 24, i1 false), !tbaa !21
  %381 = add nuw nsw i64 %377, 1
  %382 = icmp eq i64 %381, 5
  br i1 %382, label %386, label %376, !llvm.loop !32

383:                                              ; preds = %418, %386
  %384 = add nuw nsw i64 %388, 1
  %385 = icmp eq i64 %389, 5
  br i1 %385, label %438, label %386, !llvm.loop !33

386:                                              ; preds = %376, %383
  %387 = phi i64 [ %389, %383 ], [ 0, %376 ]
  %388 = phi i64 [ %384, %383 ], [ 1, %376 ]
  %389 = add nuw nsw i64 %387, 1
  %390 = icmp samesign ult i64 %387, 4
  br i1 %390, label %391, label %383

391:                                              ; preds = %386
  %392 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %387
  %393 = getelementptr inbounds nuw i8, ptr %392, i64 16
  %394 = getelementptr inbounds nuw i8, ptr %392, i64 64
  %395 = getelementptr inbounds nuw i8, ptr %392, i64 8
  br label %396

396:                                              ; preds = %418, %391
  %397 = phi i64 [ %388, %391 ], [ %419, %418 ]
  call void @llvm.lifetime.start.p0(ptr nonnull %3) #7
  %398 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %397
  %399 = getelementptr inbounds nuw i8, ptr %398, i64 16
  br label %406

400:                                              ; preds = %406
  %401 = tail call double @llvm.sqrt.f64(double %415)
  %402 = fmul double %415, %401
  %403 = fdiv double 0x4043BD3CC9BE45DE, %402
  %404 = getelementptr inbounds nuw i8, ptr %398, i64 8
  %405 = getelementptr inbounds nuw i8, ptr %398, i64 64
  br label %421

406:                                              ; preds = %406, %396
  %407 = phi i64 [ 0, %396 ], [ %416, %406 ]
  %408 = phi double [ 0.000000e+00, %396 ], [ %415, %406 ]
  %409 = getelementptr inbounds nuw double, ptr %399, i64 %407
  %410 = load double, ptr %409, align 8, !tbaa !21
  %411 = getelementptr inbounds nuw double, ptr %393, i64 %407
  %412 = load double, ptr %411, align 8, !tbaa !21
  %413 = fsub double %410, %412
  %414 = getelementptr inbounds nuw double, ptr %3, i64 %407
  store double %413, ptr %414, align 8, !tbaa !21
  %415 = tail call double @llvm.fmuladd.f64(double %413, double %413, double %408)
  %416 = add nuw nsw i64 %407, 1
  %417 = icmp eq i64 %416, 3
  br i1 %417, label %400, label %406, !llvm.loop !34

418:                                              ; preds = %421
  call void @llvm.lifetime.end.p0(ptr nonnull %3) #7
  %419 = add nuw nsw i64 %397, 1
  %420 = icmp eq i64 %419, 5
  br i1 %420, label %383, label %396, !llvm.loop !35

421:                                              ; preds = %421, %400
  %422 = phi i64 [ 0, %400 ], [ %436, %421 ]
  %423 = load double, ptr %404, align 8, !tbaa !20
  %424 = fmul double %403, %423
  %425 = getelementptr inbounds nuw double, ptr %3, i64 %422
  %426 = load double, ptr %425, align 8, !tbaa !21
  %427 = getelementptr inbounds nuw double, ptr %394, i64 %422
  %428 = load double, ptr %427, align 8, !tbaa !21
  %429 = tail call double @llvm.fmuladd.f64(double %424, double %426, double %428)
  store double %429, ptr %427, align 8, !tbaa !21
  %430 = load double, ptr %395, align 8, !tbaa !20
  %431 = getelementptr inbounds nuw double, ptr %405, i64 %422
  %432 = load double, ptr %431, align 8, !tbaa !21
  %433 = fneg double %430
  %434 = fmul double %403, %433
  %435 = tail call double @llvm.fmuladd.f64(double %434, double %426, double %432)
  store double %435, ptr %431, align 8, !tbaa !21
  %436 = add nuw nsw i64 %422, 1
  %437 = icmp eq i64 %436, 3
  br i1 %437, label %418, label %421, !llvm.loop !36

438:                                              ; preds = %383, %443
  %439 = phi i64 [ %444, %443 ], [ 0, %383 ]
  %440 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %439
  %441 = getelementptr inbounds nuw i8, ptr %440, i64 64
  %442 = getelementptr inbounds nuw i8, ptr %440, i64 40
  br label %446

443:                                              ; preds = %446
  %444 = add nuw nsw i64 %439, 1
  %445 = icmp eq i64 %444, 5
  br i1 %445, label %455, label %438, !llvm.loop !38

446:                                              ; preds = %446, %438
  %447 = phi i64 [ 0, %438 ], [ %453, %446 ]
  %448 = getelementptr inbounds nuw double, ptr %441, i64 %447
  %449 = load double, ptr %448, align 8, !tbaa !21
  %450 = getelementptr inbounds nuw double, ptr %442, i64 %447
  %451 = load double, ptr %450, align 8, !tbaa !21
  %452 = tail call double @llvm.fmuladd.f64(double %449, double 0x3F56719F3601671A, double %451)
  store double %452, ptr %450, align 8, !tbaa !21
  %453 = add nuw nsw i64 %447, 1
  %454 = icmp eq i64 %453, 3
  br i1 %454, label %443, label %446, !llvm.loop !39

455:                                              ; preds = %443
  %456 = add nuw i64 %265, 1
  %457 = icmp eq i64 %265, %16
  br i1 %457, label %147, label %264, !llvm.loop !42
}

; Function Attrs: mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.start.p0(ptr captures(none)) #1

; Function Attrs: mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite)
declare void @llvm.lifetime.end.p0(ptr captures(none)) #1

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fabs.f64(double) #2

; Function Attrs: mustprogress nocallback nofree nounwind willreturn
declare double @strtod(ptr noundef readonly, ptr noundef captures(none)) local_unnamed_addr #3

; Function Attrs: mustprogress nocallback nofree nounwind willreturn memory(argmem: write)
declare void @llvm.memset.p0.i64(ptr writeonly captures(none), i8, i64, i1 immarg) #4

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.sqrt.f64(double) #2

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.cos.f64(double) #2

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.sin.f64(double) #2

; Function Attrs: mustprogress nocallback nofree nounwind willreturn memory(argmem: readwrite)
declare void @llvm.memcpy.p0.p0.i64(ptr noalias writeonly captures(none), ptr noalias readonly captures(none), i64, i1 immarg) #5

; Function Attrs: mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none)
declare double @llvm.fmuladd.f64(double, double, double) #2

; Function Attrs: nofree nounwind
declare noundef i32 @printf(ptr noundef readonly captures(none), ...) local_unnamed_addr #6

attributes #0 = { nofree nounwind uwtable "min-legal-vector-width"="0" "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #1 = { mustprogress nocallback nofree nosync nounwind willreturn memory(argmem: readwrite) }
attributes #2 = { mustprogress nocallback nocreateundeforpoison nofree nosync nounwind speculatable willreturn memory(none) }
attributes #3 = { mustprogress nocallback nofree nounwind willreturn "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #4 = { mustprogress nocallback nofree nounwind willreturn memory(argmem: write) }
attributes #5 = { mustprogress nocallback nofree nounwind willreturn memory(argmem: readwrite) }
attributes #6 = { nofree nounwind "no-trapping-math"="true" "stack-protector-buffer-size"="8" }
attributes #7 = { nounwind }

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
!11 = !{!12, !13, i64 8}
!12 = !{!"", !9, i64 0, !13, i64 8, !13, i64 16, !13, i64 24, !13, i64 32}
!13 = !{!"double", !6, i64 0}
!14 = !{!12, !13, i64 24}
!15 = !{!12, !13, i64 32}
!16 = !{!12, !9, i64 0}
!17 = !{!18, !9, i64 0}
!18 = !{!"", !9, i64 0, !13, i64 8, !6, i64 16, !6, i64 40, !6, i64 64}
!19 = !{!12, !13, i64 16}
!20 = !{!18, !13, i64 8}
!21 = !{!13, !13, i64 0}
!22 = !{i64 0, i64 8, !8, i64 8, i64 8, !21, i64 16, i64 24, !23, i64 40, i64 24, !23, i64 64, i64 24, !23}
!23 = !{!6, !6, i64 0}
!24 = distinct !{!24, !25, !26}
!25 = !{!"llvm.loop.mustprogress"}
!26 = !{!"llvm.loop.unroll.disable"}
!27 = distinct !{!27, !25, !26}
!28 = distinct !{!28, !25, !26}
!29 = distinct !{!29, !25, !26}
!30 = distinct !{!30, !25, !26}
!31 = distinct !{!31, !25, !26}
!32 = distinct !{!32, !25, !26}
!33 = distinct !{!33, !25, !26}
!34 = distinct !{!34, !25, !26}
!35 = distinct !{!35, !25, !26}
!36 = distinct !{!36, !25, !26}
!37 = distinct !{!37, !25, !26}
!38 = distinct !{!38, !25, !26}
!39 = distinct !{!39, !25, !26}
!40 = distinct !{!40, !25, !26}
!41 = distinct !{!41, !25, !26}
!42 = distinct !{!42, !25, !26}
