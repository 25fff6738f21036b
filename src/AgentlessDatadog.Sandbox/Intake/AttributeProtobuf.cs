using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentlessDatadog.Sandbox.Intake;

/// <summary>Reads OTLP's <c>KeyValue</c> and <c>AnyValue</c>, counting whatever it makes something of.</summary>
internal sealed class AttributeProtobuf(ThingCount things)
{
    private const int MaxValueDepth = 32;

    private static readonly JsonSerializerOptions ValueOptions = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    // Of one list or map at a time.
    private readonly ArrayBufferWriter<byte> _text = new();

    /// <summary>The attributes that a message has under a number.</summary>
    /// <exception cref="InvalidDataException">One of them is no such message.</exception>
    public void ReadAll(ReadOnlySpan<byte> message, int field, List<SpanAttribute> attributes)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == (field, ProtobufReader.Delimited))
            {
                attributes.Add(Read(reader.TakeBytes()));
            }
            else
            {
                reader.Skip();
            }
        }
    }

    /// <exception cref="InvalidDataException">It is no such message.</exception>
    public SpanAttribute Read(ReadOnlySpan<byte> message)
    {
        things.Add();
        var key = ReadPair(message, out var value);
        return new SpanAttribute(key, ReadValue(value));
    }

    /// <returns>The key; its value is still to be read.</returns>
    private static string ReadPair(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> value)
    {
        var key = "";
        value = [];
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (1, ProtobufReader.Delimited):
                    key = reader.TakeText();
                    break;
                case (2, ProtobufReader.Delimited):
                    value = reader.TakeBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return key;
    }

    private object ReadValue(ReadOnlySpan<byte> message) =>
        IsMany(message, out var items, out var isMap) ? JsonOf(items, isMap) : ReadOne(message);

    /// <summary>
    /// Whether a value is a list or a map. It may say of itself what it is again and again, and the last time counts; so
    /// what was said before is passed over, and nothing is made of it.
    /// </summary>
    private static bool IsMany(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> items, out bool isMap)
    {
        var isMany = false;
        items = [];
        isMap = false;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field is (5 or 6, ProtobufReader.Delimited))
            {
                (isMany, isMap) = (true, reader.Field.Number == 6);
                items = reader.TakeBytes();
            }
            else
            {
                isMany &= reader.Field.Number is < 1 or > 7;
                reader.Skip();
            }
        }
        return isMany;
    }

    private static object ReadOne(ReadOnlySpan<byte> message)
    {
        object value = "";
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case (1, ProtobufReader.Delimited):
                    value = reader.TakeText();
                    break;
                case (2, ProtobufReader.Varint):
                    value = reader.TakeVarint() != 0;
                    break;
                case (3, ProtobufReader.Varint):
                    value = (long)reader.TakeVarint();
                    break;
                case (4, ProtobufReader.EightBytes):
                    value = reader.TakeDouble();
                    break;
                case (7, ProtobufReader.Delimited):
                    value = Convert.ToBase64String(reader.TakeBytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return value;
    }

    private string JsonOf(ReadOnlySpan<byte> items, bool isMap)
    {
        _text.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_text))
        {
            WriteMany(json, items, isMap, 1);
        }
        return Encoding.UTF8.GetString(_text.WrittenSpan);
    }

    private void WriteMany(Utf8JsonWriter json, ReadOnlySpan<byte> message, bool isMap, int depth)
    {
        if (depth > MaxValueDepth)
        {
            throw new InvalidDataException($"a value is nested more than {MaxValueDepth} deep");
        }
        if (isMap)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartArray();
        }
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field is not (1, ProtobufReader.Delimited))
            {
                reader.Skip();
                continue;
            }
            things.Add();
            var value = reader.TakeBytes();
            if (isMap)
            {
                json.WritePropertyName(ReadPair(value, out value));
            }
            WriteValue(json, value, depth);
        }
        if (isMap)
        {
            json.WriteEndObject();
        }
        else
        {
            json.WriteEndArray();
        }
    }

    private void WriteValue(Utf8JsonWriter json, ReadOnlySpan<byte> message, int depth)
    {
        if (IsMany(message, out var items, out var isMap))
        {
            WriteMany(json, items, isMap, depth + 1);
            return;
        }
        JsonSerializer.Serialize(json, ReadOne(message), ValueOptions);
    }
}
