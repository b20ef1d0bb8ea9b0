import COpenBLAS
import CTensorKernels
import Foundation
import Synchronization

/// What the engine computes with on this machine, and the one thread setting.
///
/// The engine owns its parallelism: it cuts work into tiles, runs them on its own threads and calls OpenBLAS
/// single-threaded inside each. OpenBLAS (0.3.21) has no thread count per thread, so at first use its count is set
/// to one **for the whole process**. An app that calls OpenBLAS itself and wants its threads sets
/// ``leavesBLASThreadsAlone`` (or `TENSOR_KEEP_BLAS_THREADS=1`) before the first tensor operation; the engine is
/// then slower where both compete for the cores.
public enum Backend {
  private static let threadSetting = Atomic<Int>(0)
  private static let keepsBLASThreads = Atomic<Bool>(false)

  /// How many threads work on an operation, the caller's included. 1 or more.
  ///
  /// Starts as `TENSOR_THREADS` where that is set to a positive number, else as the number of processors.
  public static var threads: Int {
    get {
      let set = threadSetting.load(ordering: .relaxed)
      return set > 0 ? set : defaultThreads
    }
    set {
      require(newValue >= 1, "threads", "at least one thread is needed, got \(newValue)")
      threadSetting.store(newValue, ordering: .relaxed)
    }
  }

  private static let defaultThreads: Int = {
    let asked = ProcessInfo.processInfo.environment["TENSOR_THREADS"].flatMap { Int($0) } ?? 0
    return asked > 0 ? asked : ProcessInfo.processInfo.activeProcessorCount
  }()

  /// Whether OpenBLAS's own thread count is left as the app set it. To be set before the first operation.
  public static var leavesBLASThreadsAlone: Bool {
    get { keepsBLASThreads.load(ordering: .relaxed) }
    set { keepsBLASThreads.store(newValue, ordering: .relaxed) }
  }

  /// Whether this processor has instructions that multiply bfloat16 numbers (and `TENSOR_KERNELS` allows them).
  public static var hasBFloat16: Bool {
    prepare()
    return tk_has_bfloat() != 0
  }

  /// What products are computed in by the task at hand and those it starts: `.float32`, unless it says
  ///
  /// ```swift
  /// Backend.$products.withValue(.bfloat16) { network(x) }
  /// ```
  ///
  /// Without effect where ``hasBFloat16`` is false.
  @TaskLocal public static var products = ProductPrecision.float32

  /// Done once, before the first call of BLAS or of a vector kernel whose level matters.
  private static let prepared: Void = {
    let environment = ProcessInfo.processInfo.environment
    if !leavesBLASThreadsAlone && environment["TENSOR_KEEP_BLAS_THREADS"] != "1" {
      openblas_set_num_threads(1)
    }
    switch environment["TENSOR_KERNELS"] {
    case "baseline": tk_set_level(TK_BASELINE)
    case "avx2": tk_set_level(TK_AVX2)
    default: tk_set_level(TK_AVX512)
    }
  }()

  /// Makes sure that BLAS and the kernels are set up; costs nothing after the first time.
  @inline(__always)
  package static func prepare() { _ = prepared }

  /// The kernels that OpenBLAS runs, by its own name for them: `SkylakeX`, `Zen`, `Haswell` and so on.
  public static var blasKernels: String {
    openblas_get_corename().map { String(cString: $0) } ?? "unknown"
  }

  /// OpenBLAS's version and build options.
  public static var blasConfiguration: String {
    openblas_get_config().map { String(cString: $0).trimmingCharacters(in: .whitespaces) }
      ?? "unknown"
  }

  /// The instruction set of the engine's own kernels: `baseline`, `avx2` or `avx512`; `neon` on arm64.
  public static var kernels: String {
    prepare()
    return name(of: tk_level())
  }

  private static func name(of level: TKLevel) -> String {
    switch level {
    case TK_AVX512: "avx512"
    case TK_AVX2: "avx2"
    default:
      #if arch(arm64)
        "neon"
      #else
        "baseline"
      #endif
    }
  }

  /// One line for logs: BLAS, its kernels, the engine's kernels and the threads.
  public static var summary: String {
    "\(blasConfiguration); OpenBLAS kernels \(blasKernels); vector kernels \(kernels); "
      + "\(threads) threads"
  }

  /// What holds the engine below what the processor can do, a sentence each with the remedy; empty when all is well.
  public static var warnings: [String] {
    prepare()
    let environment = ProcessInfo.processInfo.environment
    var warnings: [String] = []
    let processor = tk_processor_level()
    let cause =
      environment["OPENBLAS_CORETYPE"].map { "OPENBLAS_CORETYPE=\($0)" }
      ?? "this build of OpenBLAS"
    if blasLevel.rawValue < processor.rawValue {
      warnings.append(
        "\(cause) holds OpenBLAS to its \(blasKernels) kernels although the processor has "
          + "\(name(of: processor)); unset OPENBLAS_CORETYPE or install a newer OpenBLAS")
    }
    if let size = environment["OPENBLAS_L2_SIZE"] {
      warnings.append(
        "OPENBLAS_L2_SIZE=\(size) overrides the cache size that OpenBLAS measured; unset it")
    }
    if tk_level().rawValue < processor.rawValue {
      warnings.append(
        "TENSOR_KERNELS holds the engine to \(name(of: tk_level())) although the processor has "
          + "\(name(of: processor)); unset it")
    }
    return warnings
  }

  /// The instruction set that OpenBLAS's kernels are written for.
  private static var blasLevel: TKLevel {
    switch blasKernels.lowercased() {
    case "skylakex", "cooperlake", "sapphirerapids": TK_AVX512
    case "haswell", "zen", "excavator": TK_AVX2
    default: TK_BASELINE
    }
  }
}

/// What the operands of products are rounded to. Sums are always float32 or wider.
public enum ProductPrecision: String, Sendable, Codable, CaseIterable {
  /// Nothing is rounded; weights in 16 bits are widened.
  case float32
  /// float32 activations that meet bfloat16 weights, and all operands of attention, are rounded to bfloat16: about twice
  /// as fast, with errors of some 2^-9 of an operand. What gradients are asked of stays in float32.
  case bfloat16
}
