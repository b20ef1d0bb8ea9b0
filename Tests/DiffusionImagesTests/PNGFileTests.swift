import DiffusionImages
import Foundation
import TestSupport
import Testing

@Suite struct PNGFileTests {
  @Test(arguments: 1...4) func roundTrip(channels: Int) throws {
    let folder = try TemporaryFolder()
    for (width, height) in [(1, 1), (17, 5), (300, 200)] {
      let image = pattern(width: width, height: height, channels: channels)
      try image.writePNG(to: folder.path("a.png"))
      #expect(try Image(png: folder.path("a.png")) == image)
      #expect(try Image(DeepImage(png: folder.path("a.png"))) == image)
    }
    #expect(try folder.contents == ["a.png"])
  }

  @Test(arguments: [false, true]) func textRoundTrip(compressed: Bool) throws {
    let text = [
      "parameters": "a cat\nNegative prompt: none\nSteps: 20, Seed: 1",
      "Latin": "façade ÿ £", "Unicode": "猫 и кот 🐈 – “quoted”", "Empty": "",
      "Long": String(repeating: "words and words ", count: 5000), "Schlüssel": "key in Latin-1",
    ]
    let file = PNGFile(image: pattern(width: 4, height: 4, channels: 3), text: text)
    let bytes = try file.encoded(compressingText: compressed)
    #expect(try PNGFile(bytes: bytes) == file)
    #expect(try file.encoded(compressingText: compressed) == bytes)
    #expect(bytes.count < (compressed ? 3000 : 90_000))
    let chunks = chunkNames(bytes)
    // An empty text is never compressed.
    #expect(chunks.filter { $0 == "tEXt" }.count == (compressed ? 1 : 5))
    #expect(chunks.filter { $0 == "zTXt" }.count == (compressed ? 4 : 0))
    #expect(chunks.filter { $0 == "iTXt" }.count == 1)
  }

  @Test func repeatedKeywordsAreJoined() throws {
    let image = pattern(width: 2, height: 2, channels: 1)
    let one = try PNGFile(image: image, text: ["Comment": "first"]).encoded()
    let two = try PNGFile(image: image, text: ["Comment": "second"]).encoded()
    let chunk = try #require(chunkRanges(two).first { $0.name == "tEXt" })
    let end = try #require(chunkRanges(one).first { $0.name == "IDAT" })
    let both = one[..<end.range.lowerBound] + two[chunk.range] + one[end.range.lowerBound...]
    #expect(try PNGFile(bytes: Array(both)).text == ["Comment": "first\nsecond"])
  }

  @Test func unfitTextIsRefused() throws {
    let folder = try TemporaryFolder()
    let image = pattern(width: 2, height: 2, channels: 1)
    let keywords = ["", " a", "a ", "a  b", String(repeating: "k", count: 80), "ключ", "a\nb"]
    for keyword in keywords {
      #expect(throws: ImageError.self, "\(keyword)") {
        try image.writePNG(to: folder.path("a.png"), text: [keyword: "text"])
      }
    }
    let error = #expect(throws: ImageError.self) {
      try image.writePNG(to: folder.path("a.png"), text: ["key": "a\0b"])
    }
    #expect(
      error?.description
        == "\(folder.path("a.png")): text chunk \"key\" cannot be written: the text contains a NUL")
    #expect(try folder.contents.isEmpty)
  }

  @Test func alphaGoesOverTheBackground() throws {
    let folder = try TemporaryFolder()
    let image = Image(
      width: 3, height: 1, channels: 4, samples: [9, 8, 7, 0, 9, 8, 7, 255, 0, 100, 200, 51])
    try image.writePNG(to: folder.path("a.png"))
    let over = try Image(png: folder.path("a.png"), over: Color(red: 250, green: 50, blue: 0))
    #expect(over.channels == 3)
    #expect(over.samples == [250, 50, 0, 9, 8, 7, 200, 60, 40])
  }
}

struct Chunk {
  let name: String
  let range: Range<Int>
}

/// The chunks of a well-formed file, each from its length to its checksum.
func chunkRanges(_ bytes: [UInt8]) -> [Chunk] {
  var chunks: [Chunk] = []
  var start = 8
  while start + 12 <= bytes.count {
    let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    let name = String(decoding: bytes[start + 4..<start + 8], as: UTF8.self)
    chunks.append(Chunk(name: name, range: start..<start + 12 + length))
    start += 12 + length
  }
  return chunks
}

func chunkNames(_ bytes: [UInt8]) -> [String] { chunkRanges(bytes).map(\.name) }
