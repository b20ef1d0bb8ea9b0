import Foundation
import TensorCore

/// One Brownian path a sample, fixed by its seed: a virtual Brownian tree (Li et al. 2020, arXiv:2001.01328, section 4),
/// so that runs with other step counts share their randomness and a step's parts add up to the whole.
///
/// The path's time is the signal-to-noise ratio, `t = (signal / noise)^2`. In it the reverse SDE's noise is additive: with
/// `y = x / signal` and `r = noise / signal`, `d(y / r^2) = 2 D r^-3 (-dr) + dB(t)`, so that the noise of an exponential
/// integrator's step is `B(t') - B(t)` itself, whatever the steps. Asked for an interval the path gives
/// `(B(t') - B(t)) / sqrt(t' - t)`, a standard normal. Legs towards noise, Langevin steps at one level and the way to
/// clean data (where t is infinite) are not on the path and have streams of their own.
///
/// It keeps no state. The logarithm of t is cut into cells of length 1, whose increments are independent; within a cell
/// the path is halved and bridged (Lévy) ``depth`` times.
public struct BrownianPath: NoiseSource, Hashable {
  /// One seed for each sample of the batch.
  public let seeds: [UInt64]

  /// How often a cell is halved: steps shorter than `2^-depth` in logSNR are not resolved.
  static let depth = 20
  /// Cells below the end of an interval that begins in pure noise: what lies before is `exp(-32)` of it.
  static let reach = 64.0

  /// Paths for samples with the given seeds.
  public init(seeds: [UInt64]) { self.seeds = seeds }

  /// Stream 0 of each seed, as ``IntervalNoise`` has it.
  public mutating func initial(_ shape: [Int], dtype: DType) -> Tensor {
    streams.drawn(shape, dtype, stream: 0)
  }

  /// The path's increment over the interval, divided by the root of its length.
  public mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    let (first, last) = (interval.from.logSNR, interval.to.logSNR)
    guard last > first, last.isFinite else {
      var source = streams
      return source.noise(shape, dtype: dtype, over: interval, draw: draw)
    }
    let salt = UInt64(draw) &+ UInt64(interval.visit) << 32
    let parts = Self.increment(from: first, to: last)
    let length = parts.reduce(0) { $0 + $1.factor * $1.factor }.squareRoot()
    var sum: Tensor?
    for start in stride(from: 0, to: parts.count, by: 7) {
      var terms = parts[start..<min(start + 7, parts.count)].map { part in
        let stream = part.node.stream(salt: salt)
        return (factor: part.factor / length, tensor: streams.drawn(shape, dtype, stream: stream))
      }
      if let sum { terms.append((1, sum)) }
      sum = Tensor.linearCombination(terms)
    }
    return sum ?? Tensor.zeros(shape, dtype: dtype)
  }

  private var streams: IntervalNoise { IntervalNoise(seeds: seeds) }
}

// MARK: - The tree

extension BrownianPath {
  /// A normal variable of the tree: a cell's whole increment (at depth 0) or the bridge in the middle of one of its parts.
  struct Node: Hashable {
    let cell: Int
    let depth: Int
    let index: Int

    func stream(salt: UInt64) -> UInt64 {
      var stream = IntervalNoise.mixed(salt ^ 0x42_726f_776e)
      for number in [cell, depth, index] {
        stream = IntervalNoise.mixed(stream ^ UInt64(bitPattern: Int64(number)))
      }
      return stream
    }
  }

  /// The increment between two logarithms of t as a weighted sum of independent normal variables, up to a common factor.
  static func increment(from first: Double, to last: Double) -> [(factor: Double, node: Node)] {
    let start = max(first, last - reach)
    let cells = (low: Int(start.rounded(.down)), high: Int(last.rounded(.down)))
    var sum: [(factor: Double, node: Node)] = []
    func add(_ place: Double, in cell: Int, times sign: Double) {
      let scale = sign * exp(Double(cell - cells.high) / 2)
      for (factor, node) in value(at: place, in: cell) {
        if let known = sum.firstIndex(where: { $0.node == node }) {
          sum[known].factor += scale * factor
        } else {
          sum.append((scale * factor, node))
        }
      }
    }
    for cell in cells.low..<cells.high { add(1, in: cell, times: 1) }
    add(last - Double(cells.high), in: cells.high, times: 1)
    add(start - Double(cells.low), in: cells.low, times: -1)
    return sum.filter { $0.factor != 0 }
  }

  /// `B` at a place of a cell, 0 at its start, over the root of t there.
  private static func value(at place: Double, in cell: Int) -> [(factor: Double, node: Node)] {
    if place <= 0 { return [] }
    var nodes = [Node(cell: cell, depth: 0, index: 0)]
    var (low, high) = ([0.0], [(exp(1.0) - 1).squareRoot()])
    if place >= 1 { return [(high[0], nodes[0])] }
    var (from, width, index) = (0.0, 1.0, 0)
    for depth in 1...depth + 1 {
      // At the last depth the place itself is bridged to, as if it were the middle.
      let isLeaf = depth == Self.depth + 1
      let middle = isLeaf ? place : from + width / 2
      let before = expm1(middle - from)
      let after = exp(middle - from) * expm1(from + width - middle)
      let whole = expm1(width)
      nodes.append(Node(cell: cell, depth: depth, index: index))
      var value = zip(low, high).map { ($0 * after + $1 * before) / whole }
      value.append((exp(from) * before * after / whole).squareRoot())
      if place == middle { return zip(value, nodes).map { ($0, $1) } }
      width /= 2
      index *= 2
      if place < middle {
        (low, high) = (low + [0], value)
      } else {
        (low, high) = (value, high + [0])
        from = middle
        index += 1
      }
    }
    return []
  }
}
