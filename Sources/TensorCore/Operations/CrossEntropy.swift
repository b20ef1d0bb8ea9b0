import CTensorKernels

/// What a loss over many elements gives.
public enum LossReduction: String, Sendable, Codable {
  /// The mean over the elements that count.
  case mean
  /// Their sum.
  case sum
  /// One loss an element.
  case none
}

extension Tensor {
  /// The cross-entropy of the softmax of these logits `[..., classes]` with `targets`, as PyTorch has it:
  ///
  ///     -(1 - s) log p(target) - s / classes * sum of log p(class)
  ///
  /// - Parameters:
  ///   - targets: the class of each row, in row-major order of the leading axes.
  ///   - reduction: the mean over the rows that are not ignored, their sum, or `[...]` losses.
  ///   - labelSmoothing: `s` above, in 0...1.
  ///   - ignoring: rows whose target this is have no loss and no gradient and do not count in the mean.
  public func crossEntropy(
    _ targets: [Int], reduction: LossReduction = .mean, labelSmoothing: Double = 0,
    ignoring: Int? = nil
  ) -> Tensor {
    require(rank >= 1, "crossEntropy", "logits must be [..., classes], got a scalar")
    let classes = shape[rank - 1]
    let rows = shape.dropLast().reduce(1, *)
    require(
      targets.count == rows, "crossEntropy",
      "logits \(shape) have \(rows) rows, got \(targets.count) targets")
    require(
      (0...1).contains(labelSmoothing), "crossEntropy",
      "label smoothing is a share in 0...1, got \(labelSmoothing)")
    let marked = targets.map { $0 == ignoring ? -1 : $0 }
    if let outside = zip(targets, marked).first(where: {
      $1 >= classes || ($1 < 0 && $0 != ignoring)
    }) {
      misuse("crossEntropy", "target \(outside.0) is none of \(classes) classes")
    }
    let losses = rowLosses(marked, labelSmoothing)
    switch reduction {
    case .none: return losses
    case .sum: return losses.sum()
    case .mean: return losses.sum() / Double(marked.count { $0 >= 0 })
    }
  }

  private func rowLosses(_ targets: [Int], _ smoothing: Double) -> Tensor {
    let logits = detached
    let logarithms = logits.softmaxRows(logarithm: true)
    let result = Tensor(uninitialized: Array(shape.dropLast()), dtype: dtype)
    let (type, size, y) = (dtype.kernelType, dtype.size, logarithms.readAddress)
    logits.forEachBlockOfRows { rows, length in
      targets.withUnsafeBufferPointer { targets in
        tk_cross_entropy_rows(
          type, rows.count, length, smoothing, y + rows.lowerBound * length * size,
          targets.baseAddress.map { $0 + rows.lowerBound },
          result.freshAddress + rows.lowerBound * size)
      }
    }
    withExtendedLifetime(logarithms) {}
    return result.recorded(as: .crossEntropy, from: [self]) { gradient, _ in
      [logarithms.crossEntropyGradient(targets, smoothing, gradient)]
    }
  }

  private func crossEntropyGradient(
    _ targets: [Int], _ smoothing: Double, _ gradient: Tensor
  ) -> Tensor {
    let result = Tensor(uninitialized: shape, dtype: dtype)
    let (type, size) = (dtype.kernelType, dtype.size)
    let (y, g, target) = (readAddress, gradient.readAddress, result.freshAddress)
    forEachBlockOfRows { rows, length in
      let start = rows.lowerBound * length * size
      targets.withUnsafeBufferPointer { targets in
        tk_cross_entropy_gradient(
          type, rows.count, length, smoothing, y + start,
          targets.baseAddress.map { $0 + rows.lowerBound }, g + rows.lowerBound * size,
          target + start)
      }
    }
    withExtendedLifetime((self, gradient)) {}
    return result
  }
}
