import CTensorKernels
import Foundation

/// PyTorch's CPU generator: the bits of `torch.manual_seed(seed)` followed by `randn`, `rand`, `randint` and
/// `randperm` with PyTorch 2.15 from PyPI on x86-64.
///
/// The engine is MT19937, seeded with the low 32 bits of the seed. Two paths make normals, as in PyTorch:
///
/// - Fewer than 16 numbers: in float64 by Box-Muller with `log1p`, two at a time. The second of a pair waits for the
///   next such call, whatever calls of other kinds lie between.
/// - 16 or more: uniforms are drawn for all of them, then each block of 16 is transformed in place, elements `j` and
///   `j + 8` together. Where the count is no multiple of 16, the last 16 are drawn anew, over what was there. float32
///   uses Cephes' logarithm, sine and cosine in float32, as PyTorch's AVX2 kernel does (on AVX-512 processors too:
///   that kernel is registered for AVX2 and below); float64 uses the C library's.
///
/// Where its compiler fuses a product and a sum, so does this: one rounding.
///
/// So two fills of `n` differ from one of `2 n` unless `n` is a multiple of 16 and they are not both below 16.
public struct TorchGenerator: RandomGenerator {
  private var engine: MersenneTwister
  /// The sine of the last pair that the path for short fills made.
  private var waiting: Double?

  /// `torch.manual_seed(seed)`: only the low 32 bits count.
  public init(seed: UInt64) {
    engine = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Float>, mean: Double, deviation: Double
  ) {
    RandomArgument.checkNormal(mean: mean, deviation: deviation)
    guard buffer.count >= 16 else {
      for i in buffer.indices { buffer[i] = Float(mean.addingProduct(normal(), deviation)) }
      return
    }
    for i in buffer.indices { buffer[i] = uniformFloat() }
    transform(buffer, TK_FLOAT32, mean, deviation) { $0.uniformFloat() }
  }

  /// Fills `buffer` with draws of N(`mean`, `deviation`²).
  public mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Double>, mean: Double, deviation: Double
  ) {
    RandomArgument.checkNormal(mean: mean, deviation: deviation)
    guard buffer.count >= 16 else {
      for i in buffer.indices { buffer[i] = mean.addingProduct(normal(), deviation) }
      return
    }
    for i in buffer.indices { buffer[i] = uniformDouble() }
    transform(buffer, TK_FLOAT64, mean, deviation) { $0.uniformDouble() }
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Float>, low: Double, high: Double
  ) {
    RandomArgument.checkUniform(low: low, high: high)
    let (from, to) = (Float(low), Float(high))
    for i in buffer.indices {
      let value = from.addingProduct(uniformFloat(), to - from)
      buffer[i] = value == to ? from : value
    }
  }

  /// Fills `buffer` with draws that are uniform in `low..<high`.
  public mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Double>, low: Double, high: Double
  ) {
    RandomArgument.checkUniform(low: low, high: high)
    for i in buffer.indices {
      let value = low.addingProduct(uniformDouble(), high - low)
      buffer[i] = value == high ? low : value
    }
  }

  /// `torch.randint(bound, (count,))`: the remainder of 32 bits, or of 64 where `bound` is 2²⁸ or more.
  public mutating func integers(below bound: Int, count: Int) -> [Int] {
    RandomArgument.checkIntegers(below: bound, count: count)
    let range = UInt64(bound)
    return (0..<count).map { _ in
      Int((range >> 28 == 0 ? UInt64(engine.next()) : engine.next64()) % range)
    }
  }

  /// `torch.randperm(count)`: Fisher-Yates from the front; above 2³² / 20 elements, "inside out" with 64 bits.
  public mutating func permutation(_ count: Int) -> [Int] {
    RandomArgument.checkPermutation(count)
    var order = Array(0..<count)
    if count < Int(UInt32.max) / 20 {
      for i in 0..<max(count - 1, 0) {
        order.swapAt(i, i + Int(engine.next()) % (count - i))
      }
    } else {
      for i in 0..<count {
        let z = Int(engine.next64() % UInt64(i + 1))
        order[i] = order[z]
        order[z] = i
      }
    }
    return order
  }

  /// 24 bits, in `0..<1`.
  @inline(__always)
  private mutating func uniformFloat() -> Float {
    Float(engine.next() & 0xff_ffff) * 0x1p-24
  }

  /// 53 bits, in `0..<1`.
  @inline(__always)
  private mutating func uniformDouble() -> Double {
    Double(engine.next64() & 0x1f_ffff_ffff_ffff) * 0x1p-53
  }

  /// One standard normal by the path for short fills.
  private mutating func normal() -> Double {
    if let value = waiting {
      waiting = nil
      return value
    }
    let (u, v) = (uniformDouble(), uniformDouble())
    let (radius, angle) = ((-2 * log1p(-v)).squareRoot(), 2 * Double.pi * u)
    waiting = radius * sin(angle)
    return radius * cos(angle)
  }

  private mutating func transform<Element>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ type: TKType, _ mean: Double,
    _ deviation: Double, uniform: (inout Self) -> Element
  ) {
    guard let start = buffer.baseAddress else { return }
    Backend.prepare()
    tk_torch_normal(type, buffer.count / 16, mean, deviation, start)
    guard buffer.count % 16 != 0 else { return }
    let tail = buffer.count - 16
    for i in tail..<buffer.count { buffer[i] = uniform(&self) }
    tk_torch_normal(type, 1, mean, deviation, start + tail)
  }
}
