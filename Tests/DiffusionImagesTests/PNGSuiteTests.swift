import DiffusionImages
import Foundation
import TestSupport
import Testing

/// Willem van Schaik's suite with references, and files that crashed readers.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct PNGSuiteTests {
  static let folder = Shared.folder.appendingPathComponent("data/pngsuite")

  @Test func everyFileDecodesOrIsRefused() throws {
    let table = try rows(of: Self.folder.appendingPathComponent("expected.tsv"))
    #expect(table.count == 175)
    var decoded = 0
    for row in table {
      let path = Self.folder.appendingPathComponent(row[0]).path
      if row[6] == "reject" {
        #expect(throws: ImageError.self, "\(row[0])") { try PNGFile(reading: path) }
        continue
      }
      let deep = try DeepImage(png: path)
      let image = try Image(png: path)
      #expect(image == Image(deep), "\(row[0])")
      #expect([deep.width, deep.height] == [Int(row[1]), Int(row[2])], "\(row[0])")
      let reference = try Self.reference(Self.folder.appendingPathComponent(row[7]))
      let isDeep = row[3] == "16"
      #expect(isDeep ? Self.rgba(deep) == reference : Self.rgba(image) == reference, "\(row[0])")
      decoded += 1
    }
    #expect(decoded == 161)
  }

  @Test func crashersDecodeOrAreRefused() throws {
    let folder = Self.folder.appendingPathComponent("crashers")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count == 23)
    for name in names {
      let path = folder.appendingPathComponent(name).path
      do throws(ImageError) {
        let file = try PNGFile(reading: path)
        #expect(file.image.width > 0)
      } catch {
        #expect(error.description.hasPrefix(path + ": damaged PNG file: "))
      }
    }
  }

  @Test func emojiDecode() throws {
    for style in ["noto72", "fluent3d72", "twemoji72"] {
      let folder = Shared.folder.appendingPathComponent("data/emoji/\(style)")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      for name in names.filter({ $0.hasSuffix(".png") }).sorted().prefix(40) {
        let path = folder.appendingPathComponent(name).path
        let image = try Image(png: path, over: .white)
        #expect(size(image) == [72, 72] && image.channels == 3)
      }
    }
  }

  @Test func textChunksOfTheSuite() throws {
    func text(_ name: String) throws -> [String: String] {
      try PNGFile(reading: Self.folder.appendingPathComponent("png/\(name).png").path).text
    }
    #expect(try text("ct0n0g04").isEmpty)
    for name in ["ct1n0g04", "ctzn0g04"] {
      let texts = try text(name)
      #expect(texts["Title"] == "PngSuite")
      #expect(texts["Author"] == "Willem A.J. van Schaik\n(willem@schaik.com)")
    }
    let japanese = try text("ctjn0g04")
    #expect(japanese["Title"] == "PngSuite")
    #expect(japanese["Author"]?.contains("Willem van Schaik") == true)
    #expect(japanese.values.contains { $0.unicodeScalars.contains { $0.value > 0x3000 } })
  }

  static func reference(_ file: URL) throws -> [Int] {
    try JSONDecoder().decode([Int].self, from: Data(contentsOf: file))
  }

  static func rgba(_ image: Image) -> [Int] {
    image.converted(toChannels: 4).samples.map(Int.init)
  }

  static func rgba(_ deep: DeepImage) -> [Int] {
    stride(from: 0, to: deep.samples.count, by: deep.channels).flatMap { start in
      let pixel = deep.samples[start..<start + deep.channels].map(Int.init)
      return switch deep.channels {
      case 1: [pixel[0], pixel[0], pixel[0], 65535]
      case 2: [pixel[0], pixel[0], pixel[0], pixel[1]]
      case 3: pixel + [65535]
      default: pixel
      }
    }
  }
}
