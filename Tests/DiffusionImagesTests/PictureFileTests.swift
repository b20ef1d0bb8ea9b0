import DiffusionImages
import Foundation
import TestSupport
import Testing

/// Pictures of every format that is read, against Pillow's; see make_pictures.py.
@Suite struct PictureFileTests {
  static let folder = Shared.golden.appendingPathComponent("pictures")

  static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  static var names: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().filter {
        $0.hasSuffix(".png") && $0.dropLast(4).contains(".")
      }.map { String($0.dropLast(4)) }
    }
  }

  /// The integer transforms of both libraries are exact, so that most are the same bytes. With colour at half resolution in
  /// one direction only, or with few colours, versions of libjpeg differ in how they round: by one.
  @Test func everyFileIsThePicturePillowReads() throws {
    let names = try Self.names
    #expect(names.count == 27, "\(names)")
    for name in names {
      let file = try PictureFile(reading: Self.path(name))
      let expected = try PNGFile(reading: Self.path(name + ".png")).image
      #expect(size(file.image) == size(expected), "\(name)")
      #expect(file.image.channels == expected.channels, "\(name)")
      let worst = zip(file.image.samples, expected.samples).map { abs(Int($0) - Int($1)) }.max()
      #expect((worst ?? 255) <= (name == "half.jpg" ? 1 : 0), "\(name): off by \(worst ?? -1)")
    }
  }

  @Test func formatsAreToldByContent() throws {
    #expect(try PictureFile(reading: Self.path("full.jpg")).format == .jpeg)
    #expect(try PictureFile(reading: Self.path("lossy.webp")).format == .webp)
    #expect(try PictureFile(reading: Self.path("turned8.png")).format == .png)
    for bytes in [[], Array("GIF89a".utf8), Array("RIFF1234WAVE".utf8)] {
      #expect(throws: ImageError.unknownFormat(path: "x.png")) {
        try PictureFile(bytes: bytes, path: "x.png")
      }
    }
  }

  @Test func textsBesideThePicture() throws {
    let comment = try String(
      contentsOf: Self.folder.appendingPathComponent("comment.txt"), encoding: .utf8)
    for name in ["comment_be.jpg", "comment_le.jpg"] {
      #expect(try PictureFile(reading: Self.path(name)).text == ["parameters": comment])
    }
    #expect(
      try PictureFile(reading: Self.path("comfy.webp")).text == [
        "prompt": "{\"1\": {}}", "workflow": "{\"nodes\": []}",
      ])
    let png = try PNGFile(image: pattern(width: 3, height: 2, channels: 1), text: ["a": "b"])
      .encoded()
    #expect(try PictureFile(bytes: png).text == ["a": "b"])
  }

  @Test func movingPicturesAreRefusedByName() throws {
    let error = #expect(throws: ImageError.self) {
      try PictureFile(reading: Self.path("moving.webp"))
    }
    #expect(error?.description.contains("WebP file of a kind that is not read: it moves") == true)
  }

  @Test func limitsHoldForEveryFormat() throws {
    for name in ["full.jpg", "lossy.webp", "turned8.png"] {
      let bytes = try Self.bytes(name)
      for limits in [PictureLimits(maximumSide: 36), PictureLimits(maximumPixels: 37 * 22 - 1)] {
        let error = #expect(throws: ImageError.self) {
          try PictureFile(bytes: bytes, path: name, limits: limits)
        }
        guard case .tooLarge = error else {
          Issue.record("\(name): \(String(describing: error))")
          continue
        }
      }
    }
  }

  /// Nothing that is cut off is taken for whole.
  @Test func everyTruncationIsRefused() throws {
    for name in ["quarter.jpg", "progressive.jpg", "cmyk.jpg", "lossy.webp", "lossless_alpha.webp"]
    {
      let bytes = try Self.bytes(name)
      for length in 0..<bytes.count {
        let error = #expect(throws: ImageError.self, "\(name) \(length)") {
          try PictureFile(bytes: Array(bytes[..<length]), path: name)
        }
        #expect(error?.path == name)
      }
    }
  }

  /// Whatever a byte becomes, there is a picture or a typed error.
  @Test func changedBytesNeverTrap() throws {
    for name in try Self.names + ["moving.webp"] {
      let bytes = try Self.bytes(name)
      var refused = 0
      for index in bytes.indices {
        for mask: UInt8 in [0x01, 0x80, 0xFF] {
          var damaged = bytes
          damaged[index] ^= mask
          do throws(ImageError) {
            let image = try PictureFile(
              bytes: damaged, limits: PictureLimits(maximumPixels: 1 << 20)
            ).image
            #expect(image.samples.count == image.width * image.height * image.channels)
          } catch {
            refused += 1
          }
        }
      }
      #expect(refused > 0, "\(name)")
    }
  }
}
