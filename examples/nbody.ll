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
  br i1 %56, label %67, label %25, !llvm.loop !24

57:                                               ; preds = %57, %25
  %58 = phi i64 [ 0, %25 ], [ %65, %57 ]
  %59 = getelementptr inbounds nuw double, ptr %21, i64 %58
  %60 = load double, ptr %59, align 8, !tbaa !21
  %61 = fmul double %39, %60
  %62 = getelementptr inbounds nuw double, ptr %5, i64 %58
  %63 = load double, ptr %62, align 8, !tbaa !21
  %64 = fadd double %63, %61
  store double %64, ptr %62, align 8, !tbaa !21
  %65 = add nuw nsw i64 %58, 1
  %66 = icmp eq i64 %65, 3
  br i1 %66, label %54, label %57, !llvm.loop !27

67:                                               ; preds = %54
  %68 = load double, ptr %5, align 16, !tbaa !21
  %69 = fneg double %68
  %70 = getelementptr inbounds nuw i8, ptr %5, i64 8
  %71 = load double, ptr %70, align 8, !tbaa !21
  %72 = fneg double %71
  %73 = getelementptr inbounds nuw i8, ptr %5, i64 16
  %74 = load double, ptr %73, align 16, !tbaa !21
  %75 = fneg double %74
  store ptr @.str, ptr %7, align 16, !tbaa !8
  %76 = getelementptr inbounds nuw i8, ptr %7, i64 8
  store double 1.000000e+00, ptr %76, align 8, !tbaa !21
  %77 = getelementptr inbounds nuw i8, ptr %7, i64 16
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(24) %77, i8 0, i64 24, i1 false)
  %78 = getelementptr inbounds nuw i8, ptr %7, i64 40
  store double %69, ptr %78, align 8
  %79 = getelementptr inbounds nuw i8, ptr %7, i64 48
  store double %72, ptr %79, align 16
  %80 = getelementptr inbounds nuw i8, ptr %7, i64 56
  store double %75, ptr %80, align 8, !tbaa !23
  %81 = getelementptr inbounds nuw i8, ptr %7, i64 64
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 16 dereferenceable(24) %81, i8 0, i64 24, i1 false)
  call void @llvm.lifetime.end.p0(ptr nonnull %5) #7
  br label %86

82:                                               ; preds = %117, %92
  %83 = phi double [ %97, %92 ], [ %123, %117 ]
  %84 = add nuw nsw i64 %88, 1
  %85 = icmp eq i64 %98, 5
  br i1 %85, label %138, label %86, !llvm.loop !28

86:                                               ; preds = %82, %67
  %87 = phi i64 [ 0, %67 ], [ %98, %82 ]
  %88 = phi i64 [ 1, %67 ], [ %84, %82 ]
  %89 = phi double [ 0.000000e+00, %67 ], [ %83, %82 ]
  %90 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %87
  %91 = getelementptr inbounds nuw i8, ptr %90, i64 40
  br label %103

92:                                               ; preds = %103
  %93 = getelementptr inbounds nuw i8, ptr %90, i64 8
  %94 = load double, ptr %93, align 8, !tbaa !20
  %95 = fmul double %109, %94
  %96 = fmul double %95, 5.000000e-01
  %97 = fadd double %89, %96
  %98 = add nuw nsw i64 %87, 1
  %99 = icmp samesign ult i64 %87, 4
  br i1 %99, label %100, label %82

100:                                              ; preds = %92
  %101 = getelementptr inbounds nuw i8, ptr %90, i64 16
  %102 = fmul double %94, 0x4043BD3CC9BE45DE
  br label %112

103:                                              ; preds = %103, %86
  %104 = phi i64 [ 0, %86 ], [ %110, %103 ]
  %105 = phi double [ 0.000000e+00, %86 ], [ %109, %103 ]
  %106 = getelementptr inbounds nuw double, ptr %91, i64 %104
  %107 = load double, ptr %106, align 8, !tbaa !21
  %108 = fmul double %107, %107
  %109 = fadd double %105, %108
  %110 = add nuw nsw i64 %104, 1
  %111 = icmp eq i64 %110, 3
  br i1 %111, label %92, label %103, !llvm.loop !29

112:                                              ; preds = %117, %100
  %113 = phi i64 [ %88, %100 ], [ %124, %117 ]
  %114 = phi double [ %97, %100 ], [ %123, %117 ]
  %115 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %113
  %116 = getelementptr inbounds nuw i8, ptr %115, i64 16
  br label %126

117:                                              ; preds = %126
  %118 = getelementptr inbounds nuw i8, ptr %115, i64 8
  %119 = load double, ptr %118, align 8, !tbaa !20
  %120 = fmul double %102, %119
  %121 = tail call double @llvm.sqrt.f64(double %135)
  %122 = fdiv double %120, %121
  %123 = fsub double %114, %122
  %124 = add nuw nsw i64 %113, 1
  %125 = icmp eq i64 %124, 5
  br i1 %125, label %82, label %112, !llvm.loop !30

126:                                              ; preds = %126, %112
  %127 = phi i64 [ 0, %112 ], [ %136, %126 ]
  %128 = phi double [ 0.000000e+00, %112 ], [ %135, %126 ]
  %129 = getelementptr inbounds nuw double, ptr %116, i64 %127
  %130 = load double, ptr %129, align 8, !tbaa !21
  %131 = getelementptr inbounds nuw double, ptr %101, i64 %127
  %132 = load double, ptr %131, align 8, !tbaa !21
  %133 = fsub double %130, %132
  %134 = fmul double %133, %133
  %135 = fadd double %128, %134
  %136 = add nuw nsw i64 %127, 1
  %137 = icmp eq i64 %136, 3
  br i1 %137, label %117, label %126, !llvm.loop !31

138:                                              ; preds = %82, %138
  %139 = phi i64 [ %143, %138 ], [ 0, %82 ]
  %140 = mul nuw nsw i64 %139, 88
  %141 = getelementptr nuw i8, ptr %7, i64 %140
  %142 = getelementptr nuw i8, ptr %141, i64 64
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %142, i8 0, i64 24, i1 false), !tbaa !21
  %143 = add nuw nsw i64 %139, 1
  %144 = icmp eq i64 %143, 5
  br i1 %144, label %155, label %138, !llvm.loop !32

145:                                              ; preds = %188, %155
  %146 = add nuw nsw i64 %157, 1
  %147 = icmp eq i64 %158, 5
  br i1 %147, label %148, label %155, !llvm.loop !33

148:                                              ; preds = %145
  %149 = icmp slt i64 %16, 0
  br i1 %149, label %150, label %151

150:                                              ; preds = %469, %148
  br label %213

151:                                              ; preds = %148
  %152 = icmp sgt i64 %16, 9
  %153 = udiv i64 %16, 10
  %154 = select i1 %152, i64 %153, i64 1
  br label %271

155:                                              ; preds = %138, %145
  %156 = phi i64 [ %158, %145 ], [ 0, %138 ]
  %157 = phi i64 [ %146, %145 ], [ 1, %138 ]
  %158 = add nuw nsw i64 %156, 1
  %159 = icmp samesign ult i64 %156, 4
  br i1 %159, label %160, label %145

160:                                              ; preds = %155
  %161 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %156
  %162 = getelementptr inbounds nuw i8, ptr %161, i64 16
  %163 = getelementptr inbounds nuw i8, ptr %161, i64 64
  %164 = getelementptr inbounds nuw i8, ptr %161, i64 8
  br label %165

165:                                              ; preds = %188, %160
  %166 = phi i64 [ %157, %160 ], [ %189, %188 ]
  call void @llvm.lifetime.start.p0(ptr nonnull %4) #7
  %167 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %166
  %168 = getelementptr inbounds nuw i8, ptr %167, i64 16
  br label %175

169:                                              ; preds = %175
  %170 = tail call double @llvm.sqrt.f64(double %185)
  %171 = fmul double %185, %170
  %172 = fdiv double 0x4043BD3CC9BE45DE, %171
  %173 = getelementptr inbounds nuw i8, ptr %167, i64 8
  %174 = getelementptr inbounds nuw i8, ptr %167, i64 64
  br label %191

175:                                              ; preds = %175, %165
  %176 = phi i64 [ 0, %165 ], [ %186, %175 ]
  %177 = phi double [ 0.000000e+00, %165 ], [ %185, %175 ]
  %178 = getelementptr inbounds nuw double, ptr %168, i64 %176
  %179 = load double, ptr %178, align 8, !tbaa !21
  %180 = getelementptr inbounds nuw double, ptr %162, i64 %176
  %181 = load double, ptr %180, align 8, !tbaa !21
  %182 = fsub double %179, %181
  %183 = getelementptr inbounds nuw double, ptr %4, i64 %176
  store double %182, ptr %183, align 8, !tbaa !21
  %184 = fmul double %182, %182
  %185 = fadd double %177, %184
  %186 = add nuw nsw i64 %176, 1
  %187 = icmp eq i64 %186, 3
  br i1 %187, label %169, label %175, !llvm.loop !34

188:                                              ; preds = %191
  call void @llvm.lifetime.end.p0(ptr nonnull %4) #7
  %189 = add nuw nsw i64 %166, 1
  %190 = icmp eq i64 %189, 5
  br i1 %190, label %145, label %165, !llvm.loop !35

191:                                              ; preds = %191, %169
  %192 = phi i64 [ 0, %169 ], [ %207, %191 ]
  %193 = load double, ptr %173, align 8, !tbaa !20
  %194 = fmul double %172, %193
  %195 = getelementptr inbounds nuw double, ptr %4, i64 %192
  %196 = load double, ptr %195, align 8, !tbaa !21
  %197 = fmul double %194, %196
  %198 = getelementptr inbounds nuw double, ptr %163, i64 %192
  %199 = load double, ptr %198, align 8, !tbaa !21
  %200 = fadd double %199, %197
  store double %200, ptr %198, align 8, !tbaa !21
  %201 = load double, ptr %164, align 8, !tbaa !20
  %202 = fmul double %172, %201
  %203 = fmul double %196, %202
  %204 = getelementptr inbounds nuw double, ptr %174, i64 %192
  %205 = load double, ptr %204, align 8, !tbaa !21
  %206 = fsub double %205, %203
  store double %206, ptr %204, align 8, !tbaa !21
  %207 = add nuw nsw i64 %192, 1
  %208 = icmp eq i64 %207, 3
  br i1 %208, label %188, label %191, !llvm.loop !36

209:                                              ; preds = %244, %219
  %210 = phi double [ %224, %219 ], [ %250, %244 ]
  %211 = add nuw nsw i64 %215, 1
  %212 = icmp eq i64 %225, 5
  br i1 %212, label %265, label %213, !llvm.loop !28

213:                                              ; preds = %150, %209
  %214 = phi i64 [ %225, %209 ], [ 0, %150 ]
  %215 = phi i64 [ %211, %209 ], [ 1, %150 ]
  %216 = phi double [ %210, %209 ], [ 0.000000e+00, %150 ]
  %217 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %214
  %218 = getelementptr inbounds nuw i8, ptr %217, i64 40
  br label %230

219:                                              ; preds = %230
  %220 = getelementptr inbounds nuw i8, ptr %217, i64 8
  %221 = load double, ptr %220, align 8, !tbaa !20
  %222 = fmul double %236, %221
  %223 = fmul double %222, 5.000000e-01
  %224 = fadd double %216, %223
  %225 = add nuw nsw i64 %214, 1
  %226 = icmp samesign ult i64 %214, 4
  br i1 %226, label %227, label %209

227:                                              ; preds = %219
  %228 = getelementptr inbounds nuw i8, ptr %217, i64 16
  %229 = fmul double %221, 0x4043BD3CC9BE45DE
  br label %239

230:                                              ; preds = %230, %213
  %231 = phi i64 [ 0, %213 ], [ %237, %230 ]
  %232 = phi double [ 0.000000e+00, %213 ], [ %236, %230 ]
  %233 = getelementptr inbounds nuw double, ptr %218, i64 %231
  %234 = load double, ptr %233, align 8, !tbaa !21
  %235 = fmul double %234, %234
  %236 = fadd double %232, %235
  %237 = add nuw nsw i64 %231, 1
  %238 = icmp eq i64 %237, 3
  br i1 %238, label %219, label %230, !llvm.loop !29

239:                                              ; preds = %244, %227
  %240 = phi i64 [ %215, %227 ], [ %251, %244 ]
  %241 = phi double [ %224, %227 ], [ %250, %244 ]
  %242 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %240
  %243 = getelementptr inbounds nuw i8, ptr %242, i64 16
  br label %253

244:                                              ; preds = %253
  %245 = getelementptr inbounds nuw i8, ptr %242, i64 8
  %246 = load double, ptr %245, align 8, !tbaa !20
  %247 = fmul double %229, %246
  %248 = tail call double @llvm.sqrt.f64(double %262)
  %249 = fdiv double %247, %248
  %250 = fsub double %241, %249
  %251 = add nuw nsw i64 %240, 1
  %252 = icmp eq i64 %251, 5
  br i1 %252, label %209, label %239, !llvm.loop !30

253:                                              ; preds = %253, %239
  %254 = phi i64 [ 0, %239 ], [ %263, %253 ]
  %255 = phi double [ 0.000000e+00, %239 ], [ %262, %253 ]
  %256 = getelementptr inbounds nuw double, ptr %243, i64 %254
  %257 = load double, ptr %256, align 8, !tbaa !21
  %258 = getelementptr inbounds nuw double, ptr %228, i64 %254
  %259 = load double, ptr %258, align 8, !tbaa !21
  %260 = fsub double %257, %259
  %261 = fmul double %260, %260
  %262 = fadd double %255, %261
  %263 = add nuw nsw i64 %254, 1
  %264 = icmp eq i64 %263, 3
  br i1 %264, label %244, label %253, !llvm.loop !31

265:                                              ; preds = %209
  %266 = fdiv double %210, %83
  %267 = fadd double %266, -1.000000e+00
  %268 = tail call double @llvm.fabs.f64(double %267)
  %269 = fcmp uge double %268, 0x3EB0C6F7A0B5ED8D
  %270 = zext i1 %269 to i32
  call void @llvm.lifetime.end.p0(ptr nonnull %7) #7
  ret i32 %270

271:                                              ; preds = %151, %469
  %272 = phi i64 [ 0, %151 ], [ %470, %469 ]
  %273 = urem i64 %272, %154
  %274 = icmp eq i64 %273, 0
  br i1 %274, label %275, label %350

275:                                              ; preds = %271
  %276 = uitofp nneg i64 %272 to double
  %277 = fdiv double %276, 3.650000e+02
  %278 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.7, double noundef %277)
  br label %335

279:                                              ; preds = %314, %289
  %280 = phi double [ %294, %289 ], [ %320, %314 ]
  %281 = add nuw nsw i64 %285, 1
  %282 = icmp eq i64 %295, 5
  br i1 %282, label %346, label %283, !llvm.loop !28

283:                                              ; preds = %335, %279
  %284 = phi i64 [ %295, %279 ], [ 0, %335 ]
  %285 = phi i64 [ %281, %279 ], [ 1, %335 ]
  %286 = phi double [ %280, %279 ], [ 0.000000e+00, %335 ]
  %287 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %284
  %288 = getelementptr inbounds nuw i8, ptr %287, i64 40
  br label %300

289:                                              ; preds = %300
  %290 = getelementptr inbounds nuw i8, ptr %287, i64 8
  %291 = load double, ptr %290, align 8, !tbaa !20
  %292 = fmul double %306, %291
  %293 = fmul double %292, 5.000000e-01
  %294 = fadd double %286, %293
  %295 = add nuw nsw i64 %284, 1
  %296 = icmp samesign ult i64 %284, 4
  br i1 %296, label %297, label %279

297:                                              ; preds = %289
  %298 = getelementptr inbounds nuw i8, ptr %287, i64 16
  %299 = fmul double %291, 0x4043BD3CC9BE45DE
  br label %309

300:                                              ; preds = %300, %283
  %301 = phi i64 [ 0, %283 ], [ %307, %300 ]
  %302 = phi double [ 0.000000e+00, %283 ], [ %306, %300 ]
  %303 = getelementptr inbounds nuw double, ptr %288, i64 %301
  %304 = load double, ptr %303, align 8, !tbaa !21
  %305 = fmul double %304, %304
  %306 = fadd double %302, %305
  %307 = add nuw nsw i64 %301, 1
  %308 = icmp eq i64 %307, 3
  br i1 %308, label %289, label %300, !llvm.loop !29

309:                                              ; preds = %314, %297
  %310 = phi i64 [ %285, %297 ], [ %321, %314 ]
  %311 = phi double [ %294, %297 ], [ %320, %314 ]
  %312 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %310
  %313 = getelementptr inbounds nuw i8, ptr %312, i64 16
  br label %323

314:                                              ; preds = %323
  %315 = getelementptr inbounds nuw i8, ptr %312, i64 8
  %316 = load double, ptr %315, align 8, !tbaa !20
  %317 = fmul double %299, %316
  %318 = tail call double @llvm.sqrt.f64(double %332)
  %319 = fdiv double %317, %318
  %320 = fsub double %311, %319
  %321 = add nuw nsw i64 %310, 1
  %322 = icmp eq i64 %321, 5
  br i1 %322, label %279, label %309, !llvm.loop !30

323:                                              ; preds = %323, %309
  %324 = phi i64 [ 0, %309 ], [ %333, %323 ]
  %325 = phi double [ 0.000000e+00, %309 ], [ %332, %323 ]
  %326 = getelementptr inbounds nuw double, ptr %313, i64 %324
  %327 = load double, ptr %326, align 8, !tbaa !21
  %328 = getelementptr inbounds nuw double, ptr %298, i64 %324
  %329 = load double, ptr %328, align 8, !tbaa !21
  %330 = fsub double %327, %329
  %331 = fmul double %330, %330
  %332 = fadd double %325, %331
  %333 = add nuw nsw i64 %324, 1
  %334 = icmp eq i64 %333, 3
  br i1 %334, label %314, label %323, !llvm.loop !31

335:                                              ; preds = %335, %275
  %336 = phi i64 [ 1, %275 ], [ %344, %335 ]
  %337 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %336
  %338 = load ptr, ptr %337, align 8, !tbaa !17
  %339 = getelementptr inbounds nuw i8, ptr %337, i64 16
  %340 = load double, ptr %339, align 8, !tbaa !21
  %341 = getelementptr inbounds nuw i8, ptr %337, i64 24
  %342 = load double, ptr %341, align 8, !tbaa !21
  %343 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.8, ptr noundef %338, double noundef %340, double noundef %342)
  %344 = add nuw nsw i64 %336, 1
  %345 = icmp eq i64 %344, 5
  br i1 %345, label %283, label %335, !llvm.loop !37

346:                                              ; preds = %279
  %347 = fdiv double %280, %83
  %348 = fadd double %347, -1.000000e+00
  %349 = tail call i32 (ptr, ...) @printf(ptr noundef nonnull dereferenceable(1) @.str.9, double noundef %348)
  br label %350

350:                                              ; preds = %346, %271
  br label %351

351:                                              ; preds = %350, %356
  %352 = phi i64 [ %357, %356 ], [ 0, %350 ]
  %353 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %352
  %354 = getelementptr inbounds nuw i8, ptr %353, i64 64
  %355 = getelementptr inbounds nuw i8, ptr %353, i64 40
  br label %359

356:                                              ; preds = %359
  %357 = add nuw nsw i64 %352, 1
  %358 = icmp eq i64 %357, 5
  br i1 %358, label %369, label %351, !llvm.loop !38

359:                                              ; preds = %359, %351
  %360 = phi i64 [ 0, %351 ], [ %367, %359 ]
  %361 = getelementptr inbounds nuw double, ptr %354, i64 %360
  %362 = load double, ptr %361, align 8, !tbaa !21
  %363 = fmul double %362, 0x3F56719F3601671A
  %364 = getelementptr inbounds nuw double, ptr %355, i64 %360
  %365 = load double, ptr %364, align 8, !tbaa !21
  %366 = fadd double %365, %363
  store double %366, ptr %364, align 8, !tbaa !21
  %367 = add nuw nsw i64 %360, 1
  %368 = icmp eq i64 %367, 3
  br i1 %368, label %356, label %359, !llvm.loop !39

369:                                              ; preds = %356, %374
  %370 = phi i64 [ %375, %374 ], [ 0, %356 ]
  %371 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %370
  %372 = getelementptr inbounds nuw i8, ptr %371, i64 40
  %373 = getelementptr inbounds nuw i8, ptr %371, i64 16
  br label %377

374:                                              ; preds = %377
  %375 = add nuw nsw i64 %370, 1
  %376 = icmp eq i64 %375, 5
  br i1 %376, label %387, label %369, !llvm.loop !40

377:                                              ; preds = %377, %369
  %378 = phi i64 [ 0, %369 ], [ %385, %377 ]
  %379 = getelementptr inbounds nuw double, ptr %372, i64 %378
  %380 = load double, ptr %379, align 8, !tbaa !21
  %381 = fmul double %380, 0x3F66719F3601671A
  %382 = getelementptr inbounds nuw double, ptr %373, i64 %378
  %383 = load double, ptr %382, align 8, !tbaa !21
  %384 = fadd double %383, %381
  store double %384, ptr %382, align 8, !tbaa !21
  %385 = add nuw nsw i64 %378, 1
  %386 = icmp eq i64 %385, 3
  br i1 %386, label %374, label %377, !llvm.loop !41

387:                                              ; preds = %374, %387
  %388 = phi i64 [ %392, %387 ], [ 0, %374 ]
  %389 = mul nuw nsw i64 %388, 88
  %390 = getelementptr nuw i8, ptr %7, i64 %389
  %391 = getelementptr nuw i8, ptr %390, i64 64
  call void @llvm.memset.p0.i64(ptr noundef nonnull align 8 dereferenceable(24) %391, i8 0, i64 24, i1 false), !tbaa !21
  %392 = add nuw nsw i64 %388, 1
  %393 = icmp eq i64 %392, 5
  br i1 %393, label %397, label %387, !llvm.loop !32

394:                                              ; preds = %430, %397
  %395 = add nuw nsw i64 %399, 1
  %396 = icmp eq i64 %400, 5
  br i1 %396, label %451, label %397, !llvm.loop !33

397:                                              ; preds = %387, %394
  %398 = phi i64 [ %400, %394 ], [ 0, %387 ]
  %399 = phi i64 [ %395, %394 ], [ 1, %387 ]
  %400 = add nuw nsw i64 %398, 1
  %401 = icmp samesign ult i64 %398, 4
  br i1 %401, label %402, label %394

402:                                              ; preds = %397
  %403 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %398
  %404 = getelementptr inbounds nuw i8, ptr %403, i64 16
  %405 = getelementptr inbounds nuw i8, ptr %403, i64 64
  %406 = getelementptr inbounds nuw i8, ptr %403, i64 8
  br label %407

407:                                              ; preds = %430, %402
  %408 = phi i64 [ %399, %402 ], [ %431, %430 ]
  call void @llvm.lifetime.start.p0(ptr nonnull %3) #7
  %409 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %408
  %410 = getelementptr inbounds nuw i8, ptr %409, i64 16
  br label %417

411:                                              ; preds = %417
  %412 = tail call double @llvm.sqrt.f64(double %427)
  %413 = fmul double %427, %412
  %414 = fdiv double 0x4043BD3CC9BE45DE, %413
  %415 = getelementptr inbounds nuw i8, ptr %409, i64 8
  %416 = getelementptr inbounds nuw i8, ptr %409, i64 64
  br label %433

417:                                              ; preds = %417, %407
  %418 = phi i64 [ 0, %407 ], [ %428, %417 ]
  %419 = phi double [ 0.000000e+00, %407 ], [ %427, %417 ]
  %420 = getelementptr inbounds nuw double, ptr %410, i64 %418
  %421 = load double, ptr %420, align 8, !tbaa !21
  %422 = getelementptr inbounds nuw double, ptr %404, i64 %418
  %423 = load double, ptr %422, align 8, !tbaa !21
  %424 = fsub double %421, %423
  %425 = getelementptr inbounds nuw double, ptr %3, i64 %418
  store double %424, ptr %425, align 8, !tbaa !21
  %426 = fmul double %424, %424
  %427 = fadd double %419, %426
  %428 = add nuw nsw i64 %418, 1
  %429 = icmp eq i64 %428, 3
  br i1 %429, label %411, label %417, !llvm.loop !34

430:                                              ; preds = %433
  call void @llvm.lifetime.end.p0(ptr nonnull %3) #7
  %431 = add nuw nsw i64 %408, 1
  %432 = icmp eq i64 %431, 5
  br i1 %432, label %394, label %407, !llvm.loop !35

433:                                              ; preds = %433, %411
  %434 = phi i64 [ 0, %411 ], [ %449, %433 ]
  %435 = load double, ptr %415, align 8, !tbaa !20
  %436 = fmul double %414, %435
  %437 = getelementptr inbounds nuw double, ptr %3, i64 %434
  %438 = load double, ptr %437, align 8, !tbaa !21
  %439 = fmul double %436, %438
  %440 = getelementptr inbounds nuw double, ptr %405, i64 %434
  %441 = load double, ptr %440, align 8, !tbaa !21
  %442 = fadd double %441, %439
  store double %442, ptr %440, align 8, !tbaa !21
  %443 = load double, ptr %406, align 8, !tbaa !20
  %444 = fmul double %414, %443
  %445 = fmul double %438, %444
  %446 = getelementptr inbounds nuw double, ptr %416, i64 %434
  %447 = load double, ptr %446, align 8, !tbaa !21
  %448 = fsub double %447, %445
  store double %448, ptr %446, align 8, !tbaa !21
  %449 = add nuw nsw i64 %434, 1
  %450 = icmp eq i64 %449, 3
  br i1 %450, label %430, label %433, !llvm.loop !36

451:                                              ; preds = %394, %456
  %452 = phi i64 [ %457, %456 ], [ 0, %394 ]
  %453 = getelementptr inbounds nuw %struct.body, ptr %7, i64 %452
  %454 = getelementptr inbounds nuw i8, ptr %453, i64 64
  %455 = getelementptr inbounds nuw i8, ptr %453, i64 40
  br label %459

456:                                              ; preds = %459
  %457 = add nuw nsw i64 %452, 1
  %458 = icmp eq i64 %457, 5
  br i1 %458, label %469, label %451, !llvm.loop !38

459:                                              ; preds = %459, %451
  %460 = phi i64 [ 0, %451 ], [ %467, %459 ]
  %461 = getelementptr inbounds nuw double, ptr %454, i64 %460
  %462 = load double, ptr %461, align 8, !tbaa !21
  %463 = fmul double %462, 0x3F56719F3601671A
  %464 = getelementptr inbounds nuw double, ptr %455, i64 %460
  %465 = load double, ptr %464, align 8, !tbaa !21
  %466 = fadd double %465, %463
  store double %466, ptr %464, align 8, !tbaa !21
  %467 = add nuw nsw i64 %460, 1
  %468 = icmp eq i64 %467, 3
  br i1 %468, label %456, label %459, !llvm.loop !39

469:                                              ; preds = %456
  %470 = add nuw i64 %272, 1
  %471 = icmp eq i64 %272, %16
  br i1 %471, label %150, label %271, !llvm.loop !42
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
