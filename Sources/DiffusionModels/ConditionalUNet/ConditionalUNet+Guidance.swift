import TensorCore

extension ConditionalUNet {
  /// What consistency-distilled networks are told of guidance in place of being guided (Luo et al. 2023, arXiv:2310.04378,
  /// section 4.2): sinusoids of a thousand times the scale less 1, `[scales.count, guidance width]`.
  ///
  /// `nil` where the network takes none.
  public func guidanceEmbedding(_ scales: [Double], dtype: DType = .float32) -> Tensor? {
    configuration.guidanceWidth.map { width in
      TimeProjection(positional: width, flipSinToCos: false, freqShift: 1)(
        scales.map { 1000 * ($0 - 1) }, dtype: dtype)
    }
  }
}
