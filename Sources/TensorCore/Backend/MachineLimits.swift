import CTensorKernels

/// The most that this machine can do, measured with the kernels and threads in use.
package enum MachineLimits {
  /// Multiplications and additions a second in `dtype`, on all threads: independent chains of fused multiply-adds.
  package static func multiplyAddRate(_ dtype: DType, seconds: (() -> Void) -> Double) -> Double {
    Backend.prepare()
    var operations = 0.0
    let best = (0..<40).map { _ in
      seconds {
        Parallel.forEach(Backend.threads) { thread in
          var own = 0.0
          tk_multiply_add_chains(dtype.kernelType, 1_000_000, &own)
          if thread == 0 { operations = own }
        }
      }
    }.min()
    return operations * Double(Backend.threads) / (best ?? .infinity)
  }

  /// Bytes a second read from, and copied within, memory far larger than the caches, on all threads. A copied byte
  /// counts twice: read and written.
  package static func memoryRates(seconds: (() -> Void) -> Double) -> (read: Double, copy: Double) {
    Backend.prepare()
    let count = 32 << 20
    let source = Tensor(repeating: 1, shape: [count], dtype: .float32)
    let target = Tensor(uninitialized: [count], dtype: .float32)
    let part = (count + Backend.threads - 1) / Backend.threads
    let turns = 0..<8
    let reading = turns.map { _ in
      seconds {
        Parallel.ranges(count, grain: part) { range in
          var sum = 0.0
          tk_read_through(
            TK_FLOAT32, range.count, source.readAddress + range.lowerBound * 4, &sum)
        }
      }
    }
    let copying = turns.map { _ in
      seconds {
        Parallel.ranges(count, grain: part) { range in
          (target.freshAddress + range.lowerBound * 4).copyMemory(
            from: source.readAddress + range.lowerBound * 4, byteCount: range.count * 4)
        }
      }
    }
    withExtendedLifetime((source, target)) {}
    let (read, copy) = (reading.min() ?? .infinity, copying.min() ?? .infinity)
    return (Double(4 * count) / read, Double(8 * count) / copy)
  }
}
