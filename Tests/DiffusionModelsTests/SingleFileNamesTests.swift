import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

/// The original names of full-size models, against lists made from the reference; see make_single_file.py.
@Suite struct SingleFileNamesTests {
  struct Digest: Decodable, Equatable {
    let count: Int
    let fnv1a: String

    init(_ tensors: [PlacedTensor]) {
      var shapes: [String: [Int]] = [:]
      for tensor in tensors {
        if let place = tensor.places.first { shapes[place.name] = place.shape }
      }
      let lines = shapes.map { "\($0) \($1.map(String.init).joined(separator: "x"))" }.sorted {
        $0.utf8.lexicographicallyPrecedes($1.utf8)
      }
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in lines.joined(separator: "\n").utf8 {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
      }
      count = shapes.count
      fnv1a =
        String(repeating: "0", count: 16 - String(hash, radix: 16).count) + String(hash, radix: 16)
    }
  }

  /// Names and shapes without elements, as a large file would have them.
  struct ShapesAlone: CheckpointSource {
    let path = "shapes"
    let metadata: [String: String] = [:]
    let entries: [CheckpointEntry]

    init(_ tensors: [PlacedTensor]) {
      entries = tensors.compactMap { tensor in
        tensor.places.first.map {
          CheckpointEntry(name: $0.name, type: .float16, shape: $0.shape)
        }
      }
    }

    func entry(named name: String) -> CheckpointEntry? { entries.first { $0.name == name } }
    func tensor(named name: String) throws(CheckpointError) -> Tensor {
      throw .missing(path: path, name: name)
    }
  }

  static let expected: [String: Digest] = {
    let path = SingleFileGolden.folder.appendingPathComponent("names.json")
    return (try? JSONDecoder().decode([String: Digest].self, from: Data(contentsOf: path))) ?? [:]
  }()

  /// diffusers' configurations of the models people have.
  static let unets: [String: String] = [
    "sd1": #"{"cross_attention_dim": 768, "attention_head_dim": 8}"#,
    "inpainting": #"{"cross_attention_dim": 768, "attention_head_dim": 8, "in_channels": 9}"#,
    "sd2": """
    {"cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20], "use_linear_projection": true}
    """,
    "sdxl": """
    {"block_out_channels": [320, 640, 1280], "sample_size": 128,
     "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
     "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
     "cross_attention_dim": 2048, "attention_head_dim": [5, 10, 20], "use_linear_projection": true,
     "transformer_layers_per_block": [1, 2, 10], "addition_embed_type": "text_time",
     "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816}
    """,
    "refiner": """
    {"block_out_channels": [384, 768, 1536, 1536], "sample_size": 128,
     "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
     "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
     "cross_attention_dim": 1280, "attention_head_dim": [6, 12, 24, 24],
     "use_linear_projection": true, "transformer_layers_per_block": [1, 4, 4, 4],
     "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
     "projection_class_embeddings_input_dim": 2560}
    """,
    "upscaler": """
    {"block_out_channels": [256, 512, 512, 1024], "sample_size": 128,
     "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
       "CrossAttnDownBlock2D"],
     "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
       "UpBlock2D"],
     "cross_attention_dim": 1024, "attention_head_dim": 8, "use_linear_projection": true,
     "only_cross_attention": [false, true, true, false], "num_class_embeds": 1000, "in_channels": 7}
    """,
  ]

  /// The names are the reference's, and the shapes under them lead back to the structure.
  @Test(arguments: ["sd1", "inpainting", "sd2", "sdxl", "refiner", "upscaler"])
  func unetNames(_ model: String) throws {
    let json = try #require(Self.unets[model])
    var structure = try JSONDecoder().decode(
      ConditionalUNetConfiguration.self, from: Data(json.utf8))
    if structure.sampleSize == nil { structure.sampleSize = model == "upscaler" ? 128 : 64 }
    var unset = ParameterInitializer.unset
    let shapes = ConditionalUNet(structure, initializer: &unset).checkpointShapes()
    let placed = structure.singleFileTensors(of: shapes)
    let expected = try #require(Self.expected["unet/\(model)"])
    #expect(Digest(structure.singleFileTensors(of: shapes, under: "")) == expected)
    #expect(try ConditionalUNetConfiguration(singleFile: ShapesAlone(placed)) == structure)
  }

  @Test(arguments: [("sd", [128, 256, 512, 512]), ("upscaler", [128, 256, 512])])
  func autoencoderNames(_ model: String, _ channels: [Int]) throws {
    var structure = AutoencoderConfiguration.stableDiffusion
    structure.blockOutChannels = channels
    var unset = ParameterInitializer.unset
    let shapes = KLAutoencoder(structure, initializer: &unset).checkpointShapes()
    let expected = try #require(Self.expected["vae/\(model)"])
    #expect(Digest(structure.placedTensors(of: shapes, under: "")) == expected)
    let placed = structure.placedTensors(of: shapes)
    #expect(try AutoencoderConfiguration(shapesOf: ShapesAlone(placed)) == structure)
    let own = structure.placedTensors(of: shapes, under: nil)
    #expect(try AutoencoderConfiguration(shapesOf: ShapesAlone(own), under: "") == structure)
  }

  @Test(arguments: [
    ("clip-l", 768, 12, CLIPTextNaming.transformers), ("openclip-h", 1024, 23, .openCLIP),
    ("openclip-bigg", 1280, 32, .openCLIP),
  ])
  func textNames(
    _ model: String, _ width: Int, _ layers: Int, _ naming: CLIPTextNaming
  ) throws {
    var structure = CLIPConfiguration()
    (structure.width, structure.innerWidth, structure.layers) = (width, 4 * width, layers)
    (structure.heads, structure.projectionWidth) = (width / 64, width)
    structure.activation = width == 768 ? .quickGELU : .gelu
    let isProjected = model == "openclip-bigg"
    var unset = ParameterInitializer.unset
    let shapes = CLIPTextEncoder(structure, hasProjection: isProjected, initializer: &unset)
      .checkpointShapes()
    let placed = structure.placedTextTensors(of: shapes, naming: naming)
    let expected = try #require(Self.expected["text/\(model)"])
    #expect(Digest(placed) == expected)
    let found = try #require(CLIPConfiguration.text(shapesOf: ShapesAlone(placed)))
    #expect(found.configuration == structure)
    #expect(found.naming == naming && found.hasProjection == isProjected)
  }
}
