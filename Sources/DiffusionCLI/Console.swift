import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Standard error, for a person: notes always, progress only where it is a terminal.
enum Console {
  static let isTerminal = isatty(2) == 1

  /// One line.
  static func note(_ line: String) { write(line + "\n") }

  /// A line that the next one replaces; nothing where nobody watches.
  static func progress(_ line: String) {
    if isTerminal { write("\r\u{1B}[2K" + line) }
  }

  /// Takes the progress line away.
  static func endProgress() {
    if isTerminal { write("\r\u{1B}[2K") }
  }

  /// `##########----------  12/50` and what stands behind it.
  static func bar(_ done: Int, of total: Int, _ suffix: String) -> String {
    let filled = total == 0 ? 24 : done * 24 / total
    return String(repeating: "#", count: filled) + String(repeating: "-", count: 24 - filled)
      + "  \(done)/\(total)  \(suffix)"
  }

  private static func write(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }
}
