import DiffusionImages
import TestSupport
import Testing

@Suite struct ImageTests {
  @Test func samplesArePlacedRowAfterRow() {
    var image = Image(width: 3, height: 2, channels: 2, samples: Array(0..<12))
    #expect(image[2, 0] == [4, 5])
    #expect(image[1, 1, 1] == 9)
    image[1, 1, 1] = 77
    image[0, 1] = [1, 2]
    #expect(image.samples == [0, 1, 2, 3, 4, 5, 1, 2, 8, 77, 10, 11])
    #expect(Image(width: 2, height: 1, filledWith: [5, 6, 7]).samples == [5, 6, 7, 5, 6, 7])
  }

  @Test func channelsAreConverted() {
    let grey = Image(width: 2, height: 1, channels: 1, samples: [10, 200])
    #expect(grey.converted(toChannels: 2).samples == [10, 255, 200, 255])
    #expect(grey.converted(toChannels: 3).samples == [10, 10, 10, 200, 200, 200])
    #expect(grey.converted(toChannels: 4).samples == [10, 10, 10, 255, 200, 200, 200, 255])
    let color = Image(width: 1, height: 1, channels: 4, samples: [200, 100, 50, 128])
    let luma = UInt8(124)  // 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
    #expect(color.converted(toChannels: 2).samples == [luma, 128])
    #expect(color.converted(toChannels: 3, over: .black).samples == [100, 50, 25])
    #expect(color.converted(toChannels: 4, over: .black) == color)
    for value in UInt8.min...UInt8.max { #expect(Color(grey: value).luma == value) }
  }

  @Test func compositionRounds() {
    for (background, alphas) in [(0, 0...255), (255, 0...255), (37, 0...255)] {
      let samples = alphas.flatMap { [UInt8(200), UInt8($0)] }
      let image = Image(width: 256, height: 1, channels: 2, samples: samples)
      let expected = alphas.map {
        UInt8(((200 * Double($0) + Double(background) * Double(255 - $0)) / 255).rounded())
      }
      #expect(image.composited(over: Color(grey: UInt8(background))).samples == expected)
    }
    let hue = Image(width: 1, height: 1, channels: 2, samples: [100, 0])
    #expect(hue.composited(over: Color(red: 1, green: 2, blue: 3)).samples == [1, 2, 3])
    let opaque = Image(width: 1, height: 1, channels: 3, samples: [1, 2, 3])
    #expect(opaque.composited(over: .white) == opaque)
  }

  @Test func cropsAndFlips() {
    let image = Image(width: 5, height: 4, channels: 1, samples: Array(0..<20))
    #expect(image.cropped(x: 1, y: 2, width: 3, height: 2).samples == [11, 12, 13, 16, 17, 18])
    #expect(image.cropped(width: 2, height: 2).samples == [6, 7, 11, 12])
    #expect(image.flippedHorizontally().samples.prefix(5) == [4, 3, 2, 1, 0])
    #expect(image.flippedHorizontally().flippedHorizontally() == image)
    let pixels = Image(width: 2, height: 1, channels: 3, samples: [1, 2, 3, 4, 5, 6])
    #expect(pixels.flippedHorizontally().samples == [4, 5, 6, 1, 2, 3])
    var corners: [UInt8: Int] = [:]
    for x in 0..<100 {
      for y in 0..<100 {
        let position = CropPosition.fraction(x: Double(x) / 100, y: Double(y) / 100)
        corners[image.cropped(width: 1, height: 1, at: position).samples[0], default: 0] += 1
      }
    }
    #expect(corners.count == 20 && corners.values.allSatisfy { $0 == 500 })
    #expect(image.cropped(width: 5, height: 4, at: .fraction(x: 0.99, y: 0.99)) == image)
  }

  @Test func gridsPlaceImages() {
    let images = (1...3).map { Image(width: 2, height: 1, filledWith: [UInt8($0)]) }
    let grid = Image.grid(images, columns: 2, padding: 1, background: Color(grey: 9))
    #expect(size(grid) == [7, 5] && grid.channels == 1)
    #expect(
      grid.samples == [
        9, 9, 9, 9, 9, 9, 9,
        9, 1, 1, 9, 2, 2, 9,
        9, 9, 9, 9, 9, 9, 9,
        9, 3, 3, 9, 9, 9, 9,
        9, 9, 9, 9, 9, 9, 9,
      ])
    #expect(Image.grid([images[0]], padding: 0) == images[0])
    #expect(Image.grid(Array(repeating: images[0], count: 10)).width == 4 * (2 + 2) + 2)
    let mixed = Image.grid([images[0], pattern(width: 2, height: 1, channels: 4)], padding: 0)
    #expect(mixed.channels == 4 && mixed[0, 0] == [1, 1, 1, 255])
    #expect(Image.grid(images, background: Color(red: 1, green: 0, blue: 0)).channels == 3)
  }
}
