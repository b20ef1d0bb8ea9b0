import DiffusionImages
import Foundation
import TestSupport
import Testing

@Suite struct ImageResizeTests {
  static let folder = Shared.golden.appendingPathComponent("resize")

  /// Pillow's numbers; where there is alpha it rounds down the division by it, so colours may
  /// differ by one.
  @Test(arguments: ["L", "LA", "RGB", "RGBA"], ResizeFilter.allCases)
  func agreesWithPillow(mode: String, filter: ResizeFilter) throws {
    let source = try Image(png: Self.folder.appendingPathComponent("\(mode).png").path)
    for (width, height) in [(16, 16), (61, 50), (37, 10), (9, 29), (30, 26), (1, 1)] {
      let name = "\(mode)_\(filter.rawValue)_\(width)x\(height).png"
      let expected = try Image(png: Self.folder.appendingPathComponent(name).path)
      let result = source.resized(width: width, height: height, filter: filter)
      #expect(size(result) == [width, height] && result.channels == source.channels)
      let worst = zip(visible(result), visible(expected)).map { abs(Int($0) - Int($1)) }.max()
      #expect(worst ?? 256 <= (source.hasAlpha ? 1 : 0), "\(name)")
    }
  }

  @Test(arguments: ResizeFilter.allCases) func flatImagesStayFlat(filter: ResizeFilter) {
    for value in [UInt8(0), 1, 128, 255] {
      let image = Image(width: 13, height: 7, filledWith: [value])
      for (width, height) in [(5, 5), (100, 3), (13, 40)] {
        let result = image.resized(width: width, height: height, filter: filter)
        #expect(result == Image(width: width, height: height, filledWith: [value]))
      }
    }
  }

  @Test(arguments: ResizeFilter.allCases) func agreesWithTheDefinition(filter: ResizeFilter) {
    // One row, in Double, without rounding in between.
    let image = pattern(width: 50, height: 1, channels: 1)
    for target in [20, 50, 70, 123] {
      let scale = 50 / Double(target)
      let stretch = max(1, scale)
      let expected = (0..<target).map { index in
        let weights = (0..<50).map {
          kernel((Double($0) + 0.5 - (Double(index) + 0.5) * scale) / stretch, filter)
        }
        let sum = zip(weights, image.samples).reduce(0) { $0 + $1.0 * Double($1.1) }
        return min(255, max(0, sum / weights.reduce(0, +)))
      }
      let result = image.resized(width: target, height: 1, filter: filter)
      let worst = zip(result.samples, expected).map { abs(Double($0) - $1) }.max()
      #expect(worst ?? 256 <= (target == 50 ? 1e-9 : 0.51))
    }
  }

  @Test func mirroringCommutes() {
    let image = pattern(width: 31, height: 20, channels: 3)
    let one = image.flippedHorizontally().resized(width: 12, height: 45)
    #expect(one == image.resized(width: 12, height: 45).flippedHorizontally())
  }

  @Test func transparentColoursDoNotBleed() {
    var image = Image(width: 8, height: 8, filledWith: [255, 0, 0, 255])
    for y in 0..<8 { for x in 4..<8 { image[x, y] = [0, 255, 0, 0] } }
    let result = image.resized(width: 3, height: 3, filter: .bicubic)
    for y in 0..<3 { for x in 0..<3 { #expect(result[x, y, 1] == 0) } }
  }

  @Test func shorterSideKeepsProportion() {
    let wide = pattern(width: 90, height: 60, channels: 1).resized(shorterSide: 20)
    #expect(size(wide) == [30, 20])
    let tall = pattern(width: 50, height: 101, channels: 1).resized(shorterSide: 25)
    #expect(size(tall) == [25, 51])
    let square = pattern(width: 9, height: 9, channels: 1)
    #expect(square.resized(shorterSide: 9) == square)
  }

  /// The samples, with no colour where nothing is seen.
  private func visible(_ image: Image) -> [UInt8] {
    guard image.hasAlpha else { return image.samples }
    return image.samples.enumerated().map { index, sample in
      image.samples[index / image.channels * image.channels + image.channels - 1] == 0 ? 0 : sample
    }
  }

  private func kernel(_ x: Double, _ filter: ResizeFilter) -> Double {
    let x = abs(x)
    switch filter {
    case .lanczos:
      func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
      return x < 3 ? sinc(x) * sinc(x / 3) : 0
    case .bicubic:
      if x < 1 { return 1.5 * x * x * x - 2.5 * x * x + 1 }
      return x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0
    case .bilinear: return max(0, 1 - x)
    }
  }
}
