// The peer: LLVM's own JITs, `LLJIT` and `LLLazyJIT`, given every chance.
//
// lli's orc kinds ignore -O and always generate code at the default level, so they are no fair
// measure. This program builds the same JITs through LLJITBuilder and LLLazyJITBuilder, with the
// codegen level and the number of compile threads as arguments, and reports when each step was
// done:
//
//     llvm_peer --kind lljit|lllazyjit [--codegen-level 0..3] [--threads N] [--times FILE]
//               INPUT [argument ...]
//     llvm_peer --link-repeatedly N [--times FILE] OBJECT
//     llvm_peer --version
//
// INPUT is .ll, .bc or (lljit only) a relocatable object; its `main` runs with INPUT as argv[0].
// Standard streams are the program's; the exit code is what its main returned; 127 says that the
// peer itself failed, with the reason on standard error.
//
// The report is one JSON object. `start` is CLOCK_MONOTONIC at the first statement of our main, so
// the loading of LLVM's libraries, as the rest of the process's start, is left out; a parent that
// shares the clock can place the program's first output on the same scale. All other times are
// seconds since `start`, each taken when its step was done:
//
//     created       the JIT exists: target initialized, session and layers built
//     parsed        LLVM has the module in memory (an object: the file was read)
//     added         the JIT has accepted it
//     initialized   static constructors ran; an eager JIT compiles the module here or in `found`
//     found         the address of main is known: the code's (lljit) or its lazy stub's (lllazyjit)
//     returned      main returned: what follows it is the process's end
//     max_rss       bytes, the most up to that moment
//     added_rss     bytes resident when the input had been added, less those when the JIT was
//     created
//
// --link-repeatedly adds OBJECT, which defines `f` and needs nothing, to an LLJIT N times, each
// time to a dylib of its own, and looks `f` up there at once; the report's `each` is the median of
// these.
//
// No optimization pipeline runs in either kind: that is how LLVM's builders set them up.

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace llvm;
using namespace llvm::orc;

namespace {

struct Arguments {
    std::string kind = "lljit";
    int codegenLevel = 2;
    unsigned threads = 0;
    unsigned linkRepeatedly = 0;
    std::string times;
    std::string input;
    std::vector<char *> programArguments; // argv of the program, with its terminating null
};

[[noreturn]] void fail(const std::string &reason) {
    errs() << "llvm_peer: " << reason << '\n';
    errs().flush();
    std::_Exit(127);
}

template <typename T> T need(Expected<T> value) {
    if (!value)
        fail(toString(value.takeError()));
    return static_cast<T &&>(*value);
}

void need(Error error) {
    if (error)
        fail(toString(std::move(error)));
}

double now() {
    timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return double(at.tv_sec) + double(at.tv_nsec) * 1e-9;
}

long residentBytes() {
    long pages = 0, resident = 0;
    if (FILE *file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2)
            resident = 0;
        std::fclose(file);
    }
    return resident * sysconf(_SC_PAGESIZE);
}

/// The moments of one run, in the order in which they came.
class Report {
  public:
    Report() : start(now()) {}

    void set(const char *name, double seconds) { moments.emplace_back(name, seconds); }

    void mark(const char *step) {
        set(step, now() - start);
        if (!std::strcmp(step, "created"))
            createdResident = residentBytes();
        else if (!std::strcmp(step, "added"))
            addedResident = residentBytes();
    }

    void write(const Arguments &arguments, int exitCode) const {
        rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        FILE *out = arguments.times.empty() ? stderr : std::fopen(arguments.times.c_str(), "w");
        if (!out)
            fail("cannot write " + arguments.times);
        std::fprintf(out,
                     "{\"start\": %.9f, \"exit_code\": %d, \"max_rss\": %ld, \"added_rss\": %ld",
                     start, exitCode, usage.ru_maxrss * 1024L, addedResident - createdResident);
        for (const auto &[step, seconds] : moments)
            std::fprintf(out, ", \"%s\": %.9f", step, seconds);
        std::fprintf(out, "}\n");
        if (out != stderr)
            std::fclose(out);
    }

  private:
    double start;
    long createdResident = 0, addedResident = 0;
    std::vector<std::pair<const char *, double>> moments;
};

Arguments parseArguments(int argc, char **argv) {
    Arguments result;
    int i = 1;
    auto value = [&]() -> const char * {
        if (i + 1 >= argc)
            fail(std::string(argv[i]) + " needs a value");
        return argv[++i];
    };
    for (; i < argc && std::strncmp(argv[i], "--", 2) == 0; ++i) {
        std::string option = argv[i];
        if (option == "--kind")
            result.kind = value();
        else if (option == "--codegen-level")
            result.codegenLevel = std::atoi(value());
        else if (option == "--threads")
            result.threads = unsigned(std::atoi(value()));
        else if (option == "--link-repeatedly")
            result.linkRepeatedly = unsigned(std::atoi(value()));
        else if (option == "--times")
            result.times = value();
        else if (option == "--version") {
            outs() << LLVM_VERSION_STRING << '\n';
            std::exit(0);
        } else
            fail("unknown option " + option);
    }
    if (i == argc)
        fail("no input");
    if (result.kind != "lljit" && result.kind != "lllazyjit")
        fail("unknown kind " + result.kind);
    result.input = argv[i];
    result.programArguments.assign(argv + i, argv + argc);
    result.programArguments.push_back(nullptr);
    return result;
}

/// What both builders share. The default object layer and platform stay as LLVM chooses them.
template <typename Builder> Builder configure(const Arguments &arguments) {
    auto machine = need(JITTargetMachineBuilder::detectHost());
    auto level = CodeGenOpt::getLevel(arguments.codegenLevel);
    if (!level)
        fail("no such codegen level");
    machine.setCodeGenOptLevel(*level);
    Builder builder;
    builder.setJITTargetMachineBuilder(std::move(machine));
    builder.setNumCompileThreads(arguments.threads);
    return builder;
}

ThreadSafeModule parse(const Arguments &arguments) {
    auto context = std::make_unique<LLVMContext>();
    SMDiagnostic diagnostic;
    auto module = parseIRFile(arguments.input, diagnostic, *context);
    if (!module) {
        diagnostic.print("llvm_peer", errs());
        std::_Exit(127);
    }
    return ThreadSafeModule(std::move(module), std::move(context));
}

/// Initialize, run main, deinitialize: from here on, both kinds are an LLJIT.
int run(LLJIT &jit, const Arguments &arguments, Report &report) {
    need(jit.initialize(jit.getMainJITDylib()));
    report.mark("initialized");
    auto entry = need(jit.lookup("main")).toPtr<int (*)(int, char **)>();
    report.mark("found");
    std::vector<char *> programArguments = arguments.programArguments;
    int exitCode = entry(int(programArguments.size() - 1), programArguments.data());
    report.mark("returned");
    need(jit.deinitialize(jit.getMainJITDylib()));
    return exitCode;
}

int runEager(const Arguments &arguments, Report &report) {
    auto jit = need(configure<LLJITBuilder>(arguments).create());
    report.mark("created");
    if (StringRef(arguments.input).ends_with(".o")) {
        auto object = need(errorOrToExpected(MemoryBuffer::getFile(arguments.input)));
        report.mark("parsed");
        need(jit->addObjectFile(std::move(object)));
    } else {
        auto module = parse(arguments);
        report.mark("parsed");
        need(jit->addIRModule(std::move(module)));
    }
    report.mark("added");
    return run(*jit, arguments, report);
}

int runLazy(const Arguments &arguments, Report &report) {
    auto jit = need(configure<LLLazyJITBuilder>(arguments).create());
    report.mark("created");
    auto module = parse(arguments);
    report.mark("parsed");
    need(jit->addLazyIRModule(std::move(module)));
    report.mark("added");
    return run(*jit, arguments, report);
}

/// How long one object takes from its bytes to a symbol that is ready.
int linkRepeatedly(const Arguments &arguments, Report &report) {
    auto jit = need(configure<LLJITBuilder>(arguments).create());
    auto bytes = need(errorOrToExpected(MemoryBuffer::getFile(arguments.input)));
    std::vector<JITDylib *> dylibs;
    for (unsigned i = 0; i < arguments.linkRepeatedly; ++i)
        dylibs.push_back(&need(jit->createJITDylib("d" + std::to_string(i))));
    std::vector<double> samples;
    for (JITDylib *dylib : dylibs) {
        double begin = now();
        need(jit->addObjectFile(*dylib,
                                MemoryBuffer::getMemBuffer(bytes->getMemBufferRef(), false)));
        need(jit->lookup(*dylib, "f"));
        samples.push_back(now() - begin);
    }
    std::sort(samples.begin(), samples.end());
    report.set("each", samples[samples.size() / 2]);
    return 0;
}

int runKind(const Arguments &arguments, Report &report) {
    if (arguments.linkRepeatedly)
        return linkRepeatedly(arguments, report);
    return arguments.kind == "lljit" ? runEager(arguments, report) : runLazy(arguments, report);
}

} // namespace

int main(int argc, char **argv) {
    Report report;
    Arguments arguments = parseArguments(argc, argv);
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
    int exitCode = runKind(arguments, report);
    std::fflush(nullptr);
    report.write(arguments, exitCode);
    std::_Exit(exitCode);
}
