import Foundation

/// What the running program took.
public enum ProcessMemory {
  /// The most bytes that were ever resident (VmHWM), pages of mapped files included.
  public static var peak: Int {
    #if os(Linux)
      let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) << 10
    #else
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }

  /// Reads `2G`, `1500M` or a number of bytes; `nil` for anything else.
  public static func bytes(_ text: String) -> Int? {
    let units: [Character: Int] = ["K": 10, "M": 20, "G": 30]
    var digits = text.uppercased()[...]
    while digits.last == "B" || digits.last == "I" { digits = digits.dropLast() }
    let shift = digits.last.flatMap { units[$0] } ?? 0
    if shift > 0 { digits = digits.dropLast() }
    guard let number = Double(digits), number.isFinite, number > 0, number < 1e15
    else { return nil }
    let bytes = number * Double(1 << shift)
    return bytes < 1e18 ? Int(bytes) : nil
  }
}
