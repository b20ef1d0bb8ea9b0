extension Tensor {
  /// The same elements in the same order under another shape; one length may be -1 and follows from the others.
  public func reshaped(_ shape: [Int]) -> Tensor {
    let known = shape.filter { $0 != -1 }.reduce(1, *)
    let target = shape.map { $0 == -1 ? (known == 0 ? 0 : count / known) : $0 }
    require(
      target.reduce(1, *) == count && shape.filter { $0 == -1 }.count <= 1, "reshaped",
      "\(self.shape) has \(count) elements and cannot become \(shape)")
    let original = self.shape
    return viewed(as: target).recorded(as: .reshape, from: [self]) { gradient, _ in
      [gradient.reshaped(original)]
    }
  }

  /// Without the axes of length 1.
  public func squeezed() -> Tensor { reshaped(shape.filter { $0 != 1 }) }

  /// With a new axis of length 1 before `axis` (`rank` or -1 puts it last).
  public func expanded(at axis: Int) -> Tensor {
    let place = axis < 0 ? axis + rank + 1 : axis
    require(place >= 0 && place <= rank, "expanded", "no place \(axis) in shape \(shape)")
    var target = shape
    target.insert(1, at: place)
    return reshaped(target)
  }
}
