import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// SIGINT and SIGTERM as a question that a loop asks between its steps. A second signal ends the program at once.
package enum StopSignal {
  private static let received = Atomic<Int32>(0)

  /// Takes the two signals from now on.
  package static func install() {
    _ = received.load(ordering: .relaxed)
    let handler: @convention(c) (Int32) -> Void = { signal in
      let earlier = StopSignal.received.exchange(signal, ordering: .relaxed)
      if earlier != 0 { _exit(130) }
    }
    signal(SIGINT, handler)
    signal(SIGTERM, handler)
  }

  /// Whether one came.
  package static var isReceived: Bool { received.load(ordering: .relaxed) != 0 }
}
