import Foundation
import TestSupport
import TextTokenizer
import Testing

/// Time on the processor, so that what else runs does not count.
@Suite(.serialized) struct TokenizerSpeedTests {
  private func seconds(_ text: String) throws -> Double {
    let tokenizer = try Files.clip.get()
    _ = tokenizer.ids(of: "the tables are made at first use: é")
    let before = ThreadTime.now
    #expect(!tokenizer.ids(of: text).isEmpty)
    return ThreadTime.now - before
  }

  @Test func aMegabyteTakesLessThanASecond() throws {
    let rows = try Row.read(Files.golden.appendingPathComponent("random.jsonl.gz"))
    let strings = rows.dropFirst(40).map(\.text).joined(separator: " ")
    let prompts = rows.prefix(12).map(\.text).joined(separator: " ")
    for text in [prompts, strings] {
      var large = text
      while large.utf8.count < 1_000_000 { large += " " + text }
      let share = 1e6 / Double(large.utf8.count)
      let time = try seconds(large) * share
      #expect(time < 1, "\(time) s a megabyte")
    }
  }

  /// One word, and one letter with all its marks: quadratic work would take hours.
  @Test func aMegabyteWithoutASpaceIsNotQuadratic() throws {
    let word = String(repeating: "supercalifragilistic", count: 50_000)
    let marks = "a" + String(repeating: "\u{301}\u{323}", count: 250_000)
    for text in [word, marks] { #expect(try seconds(text) < 5) }
  }
}

/// The time this thread has had of a processor.
private enum ThreadTime {
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
