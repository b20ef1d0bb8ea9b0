import Foundation
import Synchronization

/// SIGINT and SIGTERM as a question that loops can ask: the step under way is finished first.
///
/// A second signal ends the program at once.
enum Interruption {
  private static let signals = Atomic<Int>(0)

  /// Takes both signals over, from now on.
  static func watch() {
    signals.store(0, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        if Interruption.signals.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
      }
    }
  }

  /// Whether the user asked to stop.
  static var isRequested: Bool { signals.load(ordering: .relaxed) > 0 }
}
