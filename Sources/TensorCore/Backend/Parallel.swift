/// Loops over tiles of work, on all threads.
///
/// How work is cut never depends on how many threads there are, so results do not either.
package enum Parallel {
  /// Calls `body` once for every index in `0..<count`, in no particular order.
  package static func forEach(_ count: Int, _ body: (Int) -> Void) {
    if count <= 1 {
      if count == 1 { body(0) }
      return
    }
    WorkerPool.shared.run(count, threads: Backend.threads, body)
  }

  /// Cuts `0..<count` into ranges of `grain` (the last may be shorter) and calls `body` with each.
  package static func ranges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let grain = max(1, grain)
    forEach((count + grain - 1) / grain) { tile in
      body(tile * grain..<min(count, (tile + 1) * grain))
    }
  }

  /// Elements a tile of element-wise work takes: enough to hide the hand-over, few enough for the cache.
  package static let elementGrain = 32768
}
