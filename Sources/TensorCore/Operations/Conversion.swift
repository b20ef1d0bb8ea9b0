extension Tensor {
  /// The same values in another element type, rounded to nearest even where the type is narrower.
  public func converted(to dtype: DType) -> Tensor {
    if dtype == self.dtype { return self }
    misuse("converted", "not yet")
  }
}
