import TensorCore

extension SamplingPlan {
  /// RePaint's plan (Lugmayr et al. 2022, section 4.2): every `jump` steps the sample is noised back by as
  /// many and denoised again, so that each such stretch is gone `times` times and what is painted comes to fit what is
  /// known. 10 and 10 are the paper's.
  ///
  /// The levels counted from the end (the one before the last is 0) at which jumps begin are the multiples of `jump` from
  /// which a whole jump stays within the plan. A jump is one leg of the forward process, equal in distribution
  /// to the paper's single steps.
  public func resampled(every jump: Int, times: Int) -> SamplingPlan {
    require(
      jump >= 1 && times >= 1, "resampled",
      "every \(jump) steps, \(times) times: both are 1 or more")
    var left = [Int](repeating: times - 1, count: count)
    var visits: [Visit: Int] = [:]
    var legs: [Interval] = []
    func add(_ leg: Interval, from: Int, to: Int) {
      let visit = visits[Visit(from: from, to: to), default: 0]
      visits[Visit(from: from, to: to)] = visit + 1
      legs.append(
        Interval(
          from: leg.from, to: leg.to, following: leg.following, kind: leg.kind, visit: visit))
    }
    var place = 0
    while place < count {
      add(intervals[place], from: place, to: place + 1)
      place += 1
      let ahead = count - 1 - place
      guard ahead >= 0, ahead % jump == 0, ahead < count - jump, left[place] > 0 else { continue }
      left[place] -= 1
      let (here, back) = (intervals[place].from, intervals[place - jump].from)
      add(
        Interval(
          from: here, to: back, following: intervals[(place - jump)...].map(\.to), kind: .renoised),
        from: place, to: place - jump)
      place -= jump
    }
    return SamplingPlan(intervals: legs)
  }
}

/// Which levels a leg goes between.
private struct Visit: Hashable {
  let from: Int
  let to: Int
}
