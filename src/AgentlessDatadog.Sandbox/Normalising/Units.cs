using System.Collections.Frozen;

namespace AgentlessDatadog.Sandbox.Normalising;

/// <summary>One of Datadog's units.</summary>
internal sealed record Unit(string Name, string Family);

/// <summary>The closed list of units, in the singular (docs/reference/datadog.md §3.8).</summary>
internal static class Units
{
    private static readonly FrozenDictionary<string, Unit> Known = new (string Family, string Names)[]
    {
        ("bytes", "bit,byte,kibibyte,mebibyte,gibibyte,tebibyte,pebibyte,exbibyte"),
        ("time", "nanosecond,microsecond,millisecond,second,minute,hour,day,week"),
        ("percentage", "percent_nano,percent,apdex,fraction"),
        ("network", "connection,request,packet,segment,response,message,payload,timeout,datagram,route,session,hop"),
        ("system", "process,thread,host,node,fault,service,instance,cpu"),
        ("disk", "file,inode,sector,block"),
        (
            "general",
            "buffer,error,read,write,occurrence,event,time,unit,operation,item,task,worker,resource,garbage collection,"
                + "email,sample,stage,monitor,location,check,attempt,device,update,method,job,container,execution,"
                + "throttle,invocation,user,success,build,prediction,exception"
        ),
        (
            "db",
            "table,index,lock,transaction,query,row,key,command,offset,record,object,cursor,assertion,scan,document,"
                + "shard,flush,merge,refresh,fetch,column,commit,wait,ticket,question"
        ),
        ("cache", "hit,miss,eviction,get,set"),
        ("money", "dollar,cent,microdollar,euro"),
        ("memory", "page,split"),
        ("frequency", "hertz,kilohertz,megahertz,gigahertz"),
        ("logging", "entry"),
        ("temperature", "decidegree celsius,degree celsius,degree fahrenheit"),
        ("cpu", "nanocore,microcore,millicore,core,kilocore,megacore,gigacore,teracore,petacore,exacore"),
        ("power", "nanowatt,microwatt,milliwatt,deciwatt,watt,kilowatt,megawatt,gigawatt,terrawatt"),
        ("current", "milliampere,ampere"),
        ("potential", "millivolt,volt"),
        ("apm", "span"),
        ("synthetics", "run"),
    }
        .SelectMany(row => row.Names.Split(',').Select(name => new Unit(name, row.Family)))
        .ToFrozenDictionary(unit => unit.Name, StringComparer.Ordinal);

    /// <summary>Null for a name outside the list.</summary>
    public static Unit? Find(string name) => Known.GetValueOrDefault(name);
}
