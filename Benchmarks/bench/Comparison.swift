import Foundation

/// Results of an earlier run, to compare with.
struct Comparison {
  private struct Document: Decodable { let results: [Measurement] }

  private let path: String
  private let earlier: [Measurement]

  /// What may always differ from run to run.
  private static let least = 0.03
  /// Times of a normal distribution are within so many median distances of the median, all but 4 in 100.
  private static let spread = 3.0

  init(path: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      earlier = try decoder.decode(Document.self, from: data).results
    } catch {
      throw BenchError.cannotRead(path: path, reason: BenchError.reason(error))
    }
    self.path = path
  }

  /// Says how each result compares; whether none is worse by more than its noise.
  func holds(against report: Report) throws -> Bool {
    var (holds, found) = (true, 0)
    for now in report.results {
      guard let before = earlier.first(where: { $0.name == now.name }) else { continue }
      found += 1
      let ratio = now.medianSeconds / before.medianSeconds
      let noise = max(Self.least, Self.spread * ((now.noise ?? 0) + (before.noise ?? 0)))
      let verdict =
        ratio > 1 + noise ? "WORSE" : ratio < 1 / (1 + noise) ? "better" : "the same"
      report.say(
        String(
          format: "%@: %.3f of the earlier time, noise %.0f %%: %@", now.name, ratio, noise * 100,
          verdict))
      holds = holds && ratio <= 1 + noise
    }
    if found == 0 {
      throw BenchError.cannotRead(
        path: path, reason: "it has no result of the same name: compare with a run of the same work"
      )
    }
    return holds
  }
}
