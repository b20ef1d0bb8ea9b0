import DiffusionImages
import Foundation
import TestSupport
import Testing

/// What is not a sound PNG is a typed error, and never a trap.
@Suite struct PNGDamageTests {
  static func sound() throws -> [UInt8] {
    try PNGFile(image: pattern(width: 20, height: 15, channels: 3), text: ["a": "b"]).encoded()
  }

  @Test func everyTruncationIsRefused() throws {
    let bytes = try Self.sound()
    for length in 0..<bytes.count {
      let error = #expect(throws: ImageError.self, "\(length)") {
        try PNGFile(bytes: Array(bytes[..<length]), path: "cut.png")
      }
      if length < 8 {
        #expect(error == .notPNG(path: "cut.png"))
      } else if case .damaged(let path, .png, _) = error {
        #expect(path == "cut.png")
      } else {
        Issue.record("length \(length): \(String(describing: error))")
      }
    }
  }

  @Test func everyFlippedByteOfThePixelsOrHeaderIsRefused() throws {
    let bytes = try Self.sound()
    let original = try PNGFile(bytes: bytes)
    for chunk in chunkRanges(bytes) where chunk.name != "tEXt" {
      for index in chunk.range {
        var damaged = bytes
        damaged[index] ^= 0x20
        // A changed name of IDAT or IEND may make an unknown chunk of it; the pixels are never
        // others.
        if let file = try? PNGFile(bytes: damaged) {
          #expect(file.image == original.image, "byte \(index)")
          #expect(chunk.name == "IEND", "byte \(index)")
        }
      }
    }
  }

  @Test func absurdSizesAreRefusedBeforeMemoryIsTaken() throws {
    func claiming(_ width: UInt32, _ height: UInt32) throws -> [UInt8] {
      var bytes = try Self.sound()
      for (offset, value) in [(16, width), (20, height)] {
        for index in 0..<4 {
          bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * index))
        }
      }
      let checksum = crc32(bytes[12..<29])
      for index in 0..<4 {
        bytes[29 + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * index))
      }
      return bytes
    }
    #expect(try PNGFile(bytes: claiming(20, 15)).image.width == 20)
    for (width, height) in [(70_000, 1), (1, 70_000), (60_000, 60_000), (0xFFFF_FFFF, 0xFFFF_FFFF)]
      as [(UInt32, UInt32)]
    {
      #expect(
        throws: ImageError.tooLarge(
          path: "x.png", width: Int(width), height: Int(height), limits: PictureLimits())
      ) { try PNGFile(bytes: claiming(width, height), path: "x.png") }
    }
    for (width, height) in [(0, 5), (5, 0)] as [(UInt32, UInt32)] {
      #expect(
        throws: ImageError.damaged(
          path: "x.png", format: .png, reason: "it says it is \(width) x \(height) pixels")
      ) { try PNGFile(bytes: claiming(width, height), path: "x.png") }
    }
    // Within the limits, and more than so few bytes can hold.
    let error = #expect(throws: ImageError.self) {
      try PNGFile(bytes: claiming(10_000, 10_000), path: "x.png")
    }
    #expect(error?.description.contains("bytes cannot hold the 10000 x 10000 pixels") == true)
    #expect(throws: ImageError.self) {
      try PNGFile(bytes: Self.sound(), limits: PictureLimits(maximumSide: 19))
    }
    #expect(throws: ImageError.self) {
      try PNGFile(bytes: Self.sound(), limits: PictureLimits(maximumPixels: 299))
    }
    #expect(
      try PNGFile(bytes: Self.sound(), limits: PictureLimits(maximumSide: 20, maximumPixels: 300))
        .image.height == 15)
  }

  @Test func chunksLongerThanTheFileAreRefused() throws {
    var bytes = try Self.sound()
    let text = try #require(chunkRanges(bytes).first { $0.name == "tEXt" })
    bytes.replaceSubrange(
      text.range.lowerBound..<text.range.lowerBound + 4, with: [0x3F, 0xFF, 0xFF, 0xFF])
    let error = #expect(throws: ImageError.self) { try PNGFile(bytes: bytes, path: "x.png") }
    #expect(error?.description.contains("says it has 1073741823 bytes") == true)
  }

  @Test func missingAndForeignFiles() throws {
    let folder = try TemporaryFolder()
    let missing = folder.path("none.png")
    #expect(throws: ImageError.unreadable(path: missing, reason: "No such file or directory")) {
      try Image(png: missing)
    }
    #expect(throws: ImageError.unreadable(path: folder.url.path, reason: "it is a folder")) {
      try Image(png: folder.url.path)
    }
    #expect(throws: ImageError.unreadable(path: "/dev/zero", reason: "it is not a regular file")) {
      try Image(png: "/dev/zero")
    }
    try Data("JFIF is another format".utf8).write(to: URL(fileURLWithPath: folder.path("a.png")))
    #expect(throws: ImageError.notPNG(path: folder.path("a.png"))) {
      try Image(png: folder.path("a.png"))
    }
    try Data().write(to: URL(fileURLWithPath: folder.path("empty.png")))
    #expect(throws: ImageError.notPNG(path: folder.path("empty.png"))) {
      try DeepImage(png: folder.path("empty.png"))
    }
  }
}

/// The checksum of PNG's chunks, by its definition (specification, annex D).
func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  var value: UInt32 = 0xFFFF_FFFF
  for byte in bytes {
    value ^= UInt32(byte)
    for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
  }
  return ~value
}
