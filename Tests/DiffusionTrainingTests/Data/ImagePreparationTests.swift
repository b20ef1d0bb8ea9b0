import DiffusionImages
import DiffusionTraining
import Testing

@Suite struct ImagePreparationTests {
  let none = ImagePreparation.Draws(cropX: 0, cropY: 0, flip: 0)

  func pattern(_ width: Int, _ height: Int, _ channels: Int) -> Image {
    Image(
      width: width, height: height, channels: channels,
      samples: (0..<width * height * channels).map { UInt8($0 * 37 % 256) })
  }

  @Test(arguments: 1...4, 1...4) func everyKindBecomesTheKindAskedFor(from: Int, to: Int) {
    for (width, height) in [(8, 8), (30, 11), (5, 21)] {
      for fit in [ImagePreparation.Fit.stretch, .centreCrop, .randomCrop(oversize: 1.25)] {
        let preparation = ImagePreparation(width: 12, height: 8, channels: to, fit: fit)
        let result = preparation.apply(to: pattern(width, height, from), draws: none)
        #expect(result.width == 12 && result.height == 8 && result.channels == to)
      }
    }
  }

  @Test func aFittingPictureStaysItself() {
    let image = pattern(9, 9, 3)
    for fit in [ImagePreparation.Fit.stretch, .centreCrop, .randomCrop(oversize: 1)] {
      let preparation = ImagePreparation(width: 9, height: 9, channels: 3, fit: fit)
      #expect(preparation.apply(to: image, draws: none) == image)
    }
  }

  @Test func theMiddleIsKept() {
    let preparation = ImagePreparation(width: 4, height: 4, channels: 1, filter: .bicubic)
    let image = pattern(24, 8, 1)
    let expected = image.resized(width: 12, height: 4, filter: .bicubic)
      .cropped(x: 4, y: 0, width: 4, height: 4)
    #expect(preparation.apply(to: image, draws: none) == expected)
  }

  @Test func drawsDecide() {
    let image = pattern(16, 16, 1)
    let preparation = ImagePreparation(
      width: 8, height: 8, channels: 1, fit: .randomCrop(oversize: 2), flipProbability: 0.5)
    func result(_ x: Double, _ y: Double, _ flip: Double) -> Image {
      preparation.apply(to: image, draws: .init(cropX: x, cropY: y, flip: flip))
    }
    #expect(result(0, 0, 0.5) == image.cropped(x: 0, y: 0, width: 8, height: 8))
    #expect(result(0.999, 0.5, 0.5) == image.cropped(x: 8, y: 4, width: 8, height: 8))
    #expect(
      result(0.999, 0, 0.49)
        == image.cropped(x: 8, y: 0, width: 8, height: 8).flippedHorizontally())
    let plain = preparation.withoutChance
    #expect(plain.fit == .centreCrop && plain.flipProbability == 0)
  }

  @Test func drawsAreUniformAndRepeatable() {
    struct Counter: RandomNumberGenerator {
      var state: UInt64 = 1
      mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
      }
    }
    var generator = Counter()
    let draws = (0..<3000).map { _ in ImagePreparation.Draws(using: &generator) }
    let values = draws.flatMap { [$0.cropX, $0.cropY, $0.flip] }
    #expect(values.allSatisfy { (0..<1).contains($0) })
    #expect(abs(values.reduce(0, +) / Double(values.count) - 0.5) < 0.02)
    var again = Counter()
    #expect(draws[0] == ImagePreparation.Draws(using: &again))
  }

  @Test func alphaGoesOverTheBackground() {
    let clear = Image(width: 4, height: 4, filledWith: [200, 0, 0, 0])
    let preparation = ImagePreparation(
      width: 2, height: 2, channels: 3, background: Color(red: 1, green: 2, blue: 3))
    #expect(preparation.apply(to: clear, draws: none)[1, 1] == [1, 2, 3])
  }
}
