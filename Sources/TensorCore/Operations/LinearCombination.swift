import CTensorKernels

// Weighted sums of up to eight tensors in one pass over memory: a solver's update, a forward marginal, a training target.

extension Tensor {
  /// As many terms as one pass adds up.
  private static let mostTerms = 8

  /// `a x + b y + ...` of one to eight tensors of one shape and type.
  public static func linearCombination(_ terms: [(factor: Double, tensor: Tensor)]) -> Tensor {
    combination(terms.map(\.tensor), terms.map { [$0.factor] })
  }

  /// `a x + b y + ...` of one to eight tensors of one shape `[batch, ...]`, with a factor for each sample.
  public static func linearCombination(
    perSample terms: [(factors: [Double], tensor: Tensor)]
  ) -> Tensor {
    for term in terms {
      require(
        term.tensor.shape.first == term.factors.count, "linearCombination",
        "\(term.factors.count) factors for a batch of shape \(term.tensor.shape)")
    }
    return combination(terms.map(\.tensor), terms.map(\.factors))
  }

  /// `factors[k]` has one entry for the whole tensor `k`, or one a sample.
  private static func combination(_ operands: [Tensor], _ factors: [[Double]]) -> Tensor {
    require(
      (1...mostTerms).contains(operands.count), "linearCombination",
      "\(operands.count) terms: give one to \(mostTerms)")
    let tensors = operands.map(\.detached)
    let first = tensors[0]
    for tensor in tensors {
      require(
        tensor.shape == first.shape && tensor.dtype == first.dtype, "linearCombination",
        "terms of \(first.dtype) \(first.shape) and \(tensor.dtype) \(tensor.shape): "
          + "make them alike")
    }
    let result = Tensor(uninitialized: first.shape, dtype: first.dtype)
    let samples = factors[0].count
    if result.count > 0 { fill(result, tensors, factors, run: result.count / samples) }
    return result.recorded(as: .linearCombination, from: operands) { gradient, needed in
      needed.indices.map { needed[$0] ? combination([gradient], [factors[$0]]) : nil }
    }
  }

  /// Runs of `run` elements share their factors; tiles stay within a run.
  private static func fill(
    _ result: Tensor, _ tensors: [Tensor], _ factors: [[Double]], run: Int
  ) {
    let (type, size) = (result.dtype.kernelType, result.dtype.size)
    let last = tensors.count - 1
    let out = result.freshAddress
    let grain = Parallel.elementGrain
    let tiles = (run + grain - 1) / grain
    Backend.prepare()
    Parallel.forEach(result.count / run * tiles) { index in
      let sample = index / tiles
      let start = index % tiles * grain
      let count = min(grain, run - start)
      let offset = (sample * run + start) * size
      withUnsafeTemporaryAllocation(of: Double.self, capacity: mostTerms) { c in
        withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: mostTerms) { x in
          for term in 0..<mostTerms {
            c[term] = term <= last ? factors[term][sample] : 0
            x[term] = tensors[min(term, last)].readAddress + offset
          }
          tk_combination(
            type, count, Int32(tensors.count), c.baseAddress, x.baseAddress, out + offset)
        }
      }
    }
    withExtendedLifetime(tensors) {}
  }
}
