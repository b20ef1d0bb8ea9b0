import DiffusionImages
import DiffusionTraining
import Foundation
import TensorCore
import TestSupport
import Testing

/// What the embedded model draws, judged by a classifier that has never seen it.
@Suite struct DigitQualityTests {
  static let perClass = 20

  /// Two hundred digits, twenty a class, by the defaults of `generate`.
  private func generated() throws -> (pictures: Tensor, classes: [Int]) {
    let program = try Program()
    defer { program.remove() }
    let classes = (0..<10).flatMap { digit in ["--class", "\(digit)"] }
    let outcome = try program.run(
      ["generate", "--count", "\(10 * Self.perClass)", "--seed", "1000", "--out", "d%03d.png"]
        + classes)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let images = try (0..<10 * Self.perClass).map { index in
      try Image(png: program.file(String(format: "d%03d.png", index)).path)
    }
    let values = images.flatMap { $0.samples.map { Float($0) / 255 } }
    return (
      Tensor(values, shape: [images.count, 28, 28, 1]), images.indices.map { $0 % 10 }
    )
  }

  /// MNIST's test set: its pictures in `0...1` and their digits.
  private func testSet() throws -> (pictures: Tensor, digits: [Int]) {
    let path = Shared.folder.appendingPathComponent("data/mnist").path
    let data = try IDXDataset(folder: path, part: "t10k")
    let samples = try (0..<data.count).map { try data.sample(at: $0) }
    let values = samples.flatMap { $0.image.samples.map { Float($0) / 255 } }
    return (
      Tensor(values, shape: [data.count, 28, 28, 1]), samples.compactMap(\.classIndex)
    )
  }

  @Test(
    .enabled(
      if: Shared.isPresent && Shared.runsSlowTests, "needs \(Shared.absence), and SLOW_TESTS=1"))
  func digitsAreRecognisedDifferAndLieWhereRealOnesLie() throws {
    let judge = try DigitJudge()
    let (pictures, classes) = try generated()
    let (real, digits) = try testSet()
    let opinion = try judge(pictures)
    let right = zip(opinion.digits, classes).filter { $0 == $1 }.count
    #expect(right >= 190, "\(right) of 200 are recognised")

    let nearest = nearestPair(pictures)
    let bound = realPairs(real, digits)
    #expect(nearest > bound, "the nearest two lie \(nearest) apart, 1 % of real pairs \(bound)")

    let features = try judge(real).features
    let distances = Self.distances(opinion.features, features)
    #expect(
      distances.generated <= 3 * distances.real,
      "kernel distance \(distances.generated), between halves \(distances.real)")
    print("recognised \(right)/200; nearest pair \(nearest) against \(bound);", terminator: " ")
    print("kernel distance \(distances.generated) against \(distances.real)")
  }

  private func rows(_ pictures: Tensor) -> [[Float]] {
    let values = pictures.floats
    return (0..<pictures.shape[0]).map { Array(values[$0 * 784..<($0 + 1) * 784]) }
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Float {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  /// The smallest distance between any two of the pictures.
  private func nearestPair(_ pictures: Tensor) -> Float {
    let rows = rows(pictures)
    var least = Float.infinity
    for i in rows.indices {
      for j in 0..<i { least = min(least, distance(rows[i], rows[j])) }
    }
    return least
  }

  /// The distance that the nearest 1 % of pairs of real digits of one class stay below (200 digits a class).
  private func realPairs(_ pictures: Tensor, _ digits: [Int]) -> Float {
    let rows = rows(pictures)
    var distances: [Float] = []
    for digit in 0..<10 {
      let own = digits.indices.filter { digits[$0] == digit }.prefix(200)
      for i in own { for j in own where j < i { distances.append(distance(rows[i], rows[j])) } }
    }
    return distances.sorted()[distances.count / 100]
  }

  /// The kernel distance of the generated digits to as many test digits, and of two sets of test digits of that size,
  /// one from each half; the mean over 25 draws each.
  private static func distances(
    _ generated: [[Double]], _ real: [[Double]]
  ) -> (generated: Double, real: Double) {
    var generator = CounterGenerator(seed: 1)
    let (size, half, draws) = (generated.count, real.count / 2, 25)
    var sums = (0.0, 0.0)
    for _ in 0..<draws {
      let first = generator.permutation(half).prefix(size).map { real[$0] }
      let second = generator.permutation(half).prefix(size).map { real[half + $0] }
      sums.0 += kernelDistance(generated, second)
      sums.1 += kernelDistance(first, second)
    }
    return (sums.0 / Double(draws), sums.1 / Double(draws))
  }
}
