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

    // Of real digits 1 % of the pairs lie below the bound by its definition; a model that repeats itself has pairs at 0.
    let (closeShare, nearest) = closePairs(pictures, classes, real, digits)
    #expect(closeShare <= 0.02, "\(closeShare) of the pairs are nearer than 1 % of real pairs")
    #expect(nearest > 0.5, "the nearest pair lies at \(nearest) of that bound")

    let features = try judge(real).features
    let distances = Self.distances(opinion.features, features)
    #expect(
      distances.generated <= 3 * distances.real,
      "kernel distance \(distances.generated), between halves \(distances.real)")
    print(
      "recognised \(right)/200; share of close pairs \(closeShare), nearest \(nearest);",
      "kernel distance \(distances.generated), between halves \(distances.real)")
  }

  private func rows(_ pictures: Tensor) -> [[Float]] {
    let values = pictures.floats
    return (0..<pictures.shape[0]).map { Array(values[$0 * 784..<($0 + 1) * 784]) }
  }

  private func distance(_ a: [Float], _ b: [Float]) -> Float {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  /// The distances of all pairs.
  private func pairs(_ rows: [[Float]]) -> [Float] {
    rows.indices.flatMap { i in (0..<i).map { distance(rows[i], rows[$0]) } }
  }

  /// Pairs of generated digits of a class against the distance that the nearest 1 % of pairs of real ones stay below: the
  /// share that is nearer, and the smallest distance as a share of that bound.
  private func closePairs(
    _ pictures: Tensor, _ classes: [Int], _ real: Tensor, _ digits: [Int]
  ) -> (share: Double, nearest: Float) {
    let (drawn, known) = (rows(pictures), rows(real))
    var (close, count, nearest) = (0, 0, Float.infinity)
    for digit in 0..<10 {
      let ofClass = digits.indices.filter { digits[$0] == digit }.prefix(300).map { known[$0] }
      let distances = pairs(ofClass).sorted()
      let bound = distances[distances.count / 100]
      let own = pairs(classes.indices.filter { classes[$0] == digit }.map { drawn[$0] })
      close += own.filter { $0 < bound }.count
      count += own.count
      nearest = min(nearest, (own.min() ?? 0) / bound)
    }
    return (Double(close) / Double(count), nearest)
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
